package report_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// payloads are what spreadsheets, renderers and terminals would take for more than text.
var payloads = []string{
	`=HYPERLINK("https://evil.example","x")`, "+1+1", "-2+3", "@SUM(A1)", "|calc", "%0A", "\t=1+1", "\r\n=1+1", "\u200b=1+1", "\ufeff=1+1", `"=1+1"`, "'=1+1", "  =1", "＝1+1", "＠x",
	"<script>alert(1)</script>", "</svg><script>alert(1)</script>", "</pre></td></table><img src=x onerror=alert(1)>", "{{.Run.ID}}", "]]><x>", "a | b `c` ``` [d](javascript:e) <https://f> @everyone #1",
	"# heading\n- item\n```\nfence", "\u202etxt.exe\u202c", "\x1b[2J\x00\x07", "\xff\xfe",
}

func TestNothingHostileIsAFormula(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	for i, p := range payloads {
		if err := db.Append(t.Context(), reporttest.RunID, database.Entry{ID: p, Kind: "run.note", Actor: p, Step: p, At: reporttest.Start().Add(time.Duration(i) * time.Hour), Body: map[string]string{"summary": p}}); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := report.CSV(t.Context(), db, reporttest.RunID)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatalf("the table does not read: %v", err)
	}
	ledger, err := db.Ledger(t.Context(), reporttest.RunID)
	if err != nil || len(rows) != len(ledger)+1 {
		t.Fatalf("%d rows for %d entries: %v", len(rows), len(ledger), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			bare := strings.TrimLeft(cell, " \t\r\n\"")
			if bare != "" && strings.ContainsRune("=+-@|%＝＋－＠\t\r", []rune(bare)[0]) {
				t.Errorf("the cell %q begins like a formula", cell)
			}
			if strings.ContainsAny(cell, "\n\r\x00\x1b\u202e\u200b\ufeff") {
				t.Errorf("the cell %q hides something", cell)
			}
		}
	}
	if rows[0][0] != "seq" || rows[1][0] != "1" || rows[1][4] != "run.started" {
		t.Errorf("the table begins with %q", rows[:2])
	}
}

// hostile is a run in which every text that comes from outside is p.
func hostile(p string) *report.Facts {
	at := reporttest.Start()
	out, _ := json.Marshal(map[string]any{"agents": []string{p}, "regions": []string{p}, "cost_usd": 1.5, "abuse_usd": 1.5, "abuse_requests": 3, "cost_basis": p, "incomplete": p, "curve": []string{p, at.Format(time.RFC3339) + " 3 1.50"}, "first_abuse": at, "summary": p, "reach": p}) // plain data
	return report.Told(&report.Facts{
		Run:    incident.Run{ID: p, Incident: p, Playbook: p, Source: p, World: incident.WorldDrill, Mode: incident.ModeEnforce, Starter: p, State: "done", Outcome: incident.OutcomeContained, StartedAt: at, FinishedAt: at.Add(time.Hour), Key: &incident.Key{Provider: p, Account: p, ID: p, Name: p, Hint: p, Owner: p, Dependents: []incident.Dependent{{ID: p, Kind: p}}}},
		Alerts: []database.Received{{Alert: incident.Alert{ID: p, Source: p, Kind: p, Severity: p, Title: p, ReceivedAt: at, Links: []string{p}, Key: incident.Clue{Where: p}}}},
		Steps: []database.StepRow{{Path: p, Title: p, Action: "usage.snapshot", Effect: "observe", Status: "done", Outputs: out, StartedAt: at, FinishedAt: at},
			{Path: p, Title: p, Action: p, Effect: "undoable", Status: "done", Outputs: out, Error: p, StartedAt: at, FinishedAt: at}, {Path: p + "2", Action: p, Effect: "final", Status: "failed", Error: p, StartedAt: at}},
		InForce:   []database.UndoRow{{Step: p, Target: p, Action: p, At: at}},
		Questions: []report.Question{{Question: database.Question{ID: p, From: p, Prompt: p}, Attempts: []database.Attempt{{Person: p, Verb: p, Surface: p, Why: p, Code: p}}}},
		Evidence:  []incident.Evidence{{Name: p, Source: p, Step: p, Digest: p}},
	})
}

func TestNothingHostileLeavesItsPlaceInThePageOrThePicture(t *testing.T) {
	t.Parallel()
	tags := []string{"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "pre", "br", "span", "figure", "figcaption", "svg", "line", "rect", "text"}
	for _, p := range payloads {
		page, err := hostile(p).HTML()
		if err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(bytes.NewReader(page))
		d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "br"}, xml.HTMLEntity
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("with %q the page does not read: %v", p, err)
			}
			el, is := token.(xml.StartElement)
			if is && !slices.Contains(tags, el.Name.Local) {
				t.Errorf("with %q the page holds the element %q", p, el.Name.Local)
			}
			for _, a := range el.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "href" || a.Name.Local == "src" || a.Name.Local == "style" {
					t.Errorf("with %q the element %q has %s=%q", p, el.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
}

func TestNothingHostileLeavesItsPlaceInMarkdown(t *testing.T) {
	t.Parallel()
	plain := outline(hostile("x").Markdown())
	for _, p := range payloads {
		if got := outline(hostile(p).Markdown()); got != plain {
			t.Errorf("with %q the page has the outline\n%s\nwant\n%s", p, got, plain)
		}
	}
}

// outline is what a reader of Markdown sees of its structure: headings, lists and rows with their number of cells, outside of
// fences and code spans.
func outline(md []byte) string {
	var out []string
	fence := ""
	for line := range strings.Lines(string(md)) {
		line = strings.TrimSuffix(line, "\n")
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		if fence != "" {
			if line == fence {
				fence = ""
			}
			continue
		}
		if len(ticks) >= 3 && !strings.Contains(line[len(ticks):], "`") {
			fence = ticks
			continue
		}
		bare := spans(line)
		switch {
		case strings.HasPrefix(bare, "#"), strings.HasPrefix(bare, "- "), strings.HasPrefix(bare, "|"):
			out = append(out, bare)
		case strings.ContainsAny(bare, "<>[]@"):
			out = append(out, "markup: "+bare)
		}
	}
	return strings.Join(out, "\n")
}

// spans takes code spans out, as CommonMark finds them; in a table, a bar without a backslash cuts a cell even inside of one.
func spans(line string) string {
	var out strings.Builder
	table := strings.HasPrefix(line, "|")
	for len(line) > 0 {
		n := len(line) - len(strings.TrimLeft(line, "`"))
		if n == 0 {
			out.WriteByte(line[0])
			line = line[1:]
			continue
		}
		end := closing(line[n:], n)
		if end < 0 {
			out.WriteString(line[:n])
			line = line[n:]
			continue
		}
		if cut := strings.ReplaceAll(line[n:n+end], `\|`, ""); table {
			out.WriteString(strings.Repeat("|", strings.Count(cut, "|")))
		}
		out.WriteString("CODE")
		line = line[n+end+n:]
	}
	return out.String()
}

// closing is where a run of exactly n backticks begins.
func closing(s string, n int) int {
	for at := 0; at < len(s); {
		run := len(s[at:]) - len(strings.TrimLeft(s[at:], "`"))
		if run == n {
			return at
		}
		at += max(run, 1)
	}
	return -1
}

func TestTheRefundPackTellsTheTheftAndWithholdsTheRest(t *testing.T) {
	t.Parallel()
	db := reporttest.DB(t)
	reporttest.Fill(t, db)
	ev, err := evidence.Open(t.Context(), "file://"+filepath.ToSlash(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ev.Close() }()
	if _, err := ev.Put(t.Context(), reporttest.RunID, "first_minute/usage", "monitoring-timeseries.json", "gemini", []byte(reporttest.BlobBody), reporttest.Start()); err != nil {
		t.Fatal(err)
	}
	signer, err := seal.LoadOrCreateSigner(filepath.Join(t.TempDir(), "signer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	access := report.Access{Run: reporttest.RunID, Who: "priya", Surface: "cli", At: reporttest.Start().Add(time.Hour), Refund: true}
	if err := report.Bundle(t.Context(), db, ev, access, &out, signer); err != nil {
		t.Fatal(err)
	}
	sum, err := evidence.Verify(bytes.NewReader(out.Bytes()), int64(out.Len()), map[string]ed25519.PublicKey{signer.ID: signer.Public})
	if err != nil || !sum.Redacted {
		t.Fatalf("the pack does not verify as a redacted bundle: %v, %+v", err, sum)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var pack report.Refund
	for _, f := range z.File {
		names = append(names, f.Name)
		if f.Name == "refund.json" {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			if err := json.NewDecoder(r).Decode(&pack); err != nil {
				t.Fatal(err)
			}
		}
	}
	slices.Sort(names)
	blob := "evidence/" + strings.Replace(reporttest.Blob, ":", "-", 1)
	if want := []string{blob, "ledger.jsonl", "manifest.json", "manifest.sig", "refund.csv", "refund.json", "refund.md"}; !slices.Equal(names, want) {
		t.Errorf("the pack holds %q, want %q", names, want)
	}
	if pack.Cost != "$1,868.40" || pack.Calls != "48000" || !pack.Drill || len(pack.Evidence) != 1 || pack.Evidence[0].File != blob || pack.Key != "keys/4c1f" || len(pack.Curve) != 7 {
		t.Errorf("the pack says %+v", pack)
	}
	rows, err := db.Ledger(t.Context(), reporttest.RunID)
	if err != nil || string(rows[len(rows)-1].Body) != `{"redacted":true,"refund":true,"surface":"cli"}` {
		t.Errorf("the ledger says %s, %v", rows[len(rows)-1].Body, err)
	}
}
