package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// places are what lies about after a run: by kind, then by name.
type places map[string]map[string][]byte

func (p places) put(kind, name string, data []byte) {
	if p[kind] == nil {
		p[kind] = map[string][]byte{}
	}
	p[kind][name] = data
}

// files adds every file of the data directory as its raw bytes.
func (p places) files(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		p.put("file", path, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// slack adds what everybody in the workspace sees, with every modal, also as it would be drawn.
func (p places) slack(t *testing.T, s *stage) {
	t.Helper()
	for _, it := range []any{s.Slack.Messages(), s.Slack.Views()} {
		raw, err := json.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		p.put("slack", fmt.Sprintf("%T", it), raw)
	}
}

// pages adds what a person sees in the console and over the API.
func (p places) pages(t *testing.T, h *product, run string, requests ...string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := client()
	browser.Jar = jar
	resp, err := browser.PostForm(h.url+"/sign-in", url.Values{"token": {h.token}, "next": {"/"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	h.browser = browser
	paths := []string{
		"/", "/runs", "/runs/" + run, "/signoffs", "/alerts", "/questions/q-" + run + "-1", "/runs/nobody", "/metrics", "/readyz",
		"/v1/runs", "/v1/runs/" + run, "/v1/runs/" + run + "/timeline", "/v1/runs/" + run + "/history", "/v1/signoffs", "/v1/questions",
		"/v1/runs/" + run + "/report?format=md", "/v1/runs/" + run + "/report?format=html", "/v1/runs/" + run + "/report?format=json",
	}
	for _, r := range requests {
		paths = append(paths, "/signoffs/"+r, "/v1/signoffs/"+r)
	}
	for _, path := range paths {
		status, body := h.get(t, path)
		if status != http.StatusOK && path != "/runs/nobody" || strings.Contains(string(body), `action="/sign-in"`) {
			t.Fatalf("%s was answered %d: %.300s", path, status, body)
		}
		p.put("page", path, body)
	}
	_, bundle := h.get(t, "/v1/runs/"+run+"/evidence")
	p.put("bundle", "evidence", bundle)
}

// rows adds every row of our own database but those of the table that holds sealed secrets.
func (p places) rows(t *testing.T, path string) {
	t.Helper()
	each(t, path, func(table string, n int, column string, value []byte) {
		if table != "sealed" {
			p.put("row", fmt.Sprintf("%s row %d %s", table, n, column), value)
		}
	})
}

// payloads adds everything that the workflow engine keeps encrypted, opened with the installation's key ring.
func (p places) payloads(t *testing.T, dir string) {
	t.Helper()
	ring, err := seal.Load(filepath.Join(dir, "keyring.json"))
	if err != nil {
		t.Fatal(err)
	}
	codec := ring.Codec()
	each(t, filepath.Join(dir, "temporal.db"), func(table string, n int, column string, value []byte) {
		p.put("engine row", fmt.Sprintf("%s row %d %s", table, n, column), value)
		dig(value, 0, func(sealed *commonpb.Payload) {
			opened, err := codec.Decode([]*commonpb.Payload{sealed})
			if err != nil {
				t.Errorf("a payload in %s cannot be opened: %v", table, err)
				return
			}
			p.put("payload", fmt.Sprintf("%s row %d, payload %d", table, n, len(p["payload"])), opened[0].GetData())
		})
	})
}

// dig finds encrypted payloads anywhere in a stored message, whatever its type is.
func dig(b []byte, depth int, found func(*commonpb.Payload)) {
	for len(b) > 0 && depth < 24 {
		_, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(1, kind, b); n < 0 {
				return
			}
			b = b[n:]
			continue
		}
		inner, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return
		}
		b = b[n:]
		var p commonpb.Payload
		if proto.Unmarshal(inner, &p) == nil && string(p.GetMetadata()[converter.MetadataEncoding]) == seal.Encoding {
			found(&p)
			continue
		}
		dig(inner, depth+1, found)
	}
}

// each visits every value of every table of a closed SQLite file.
func each(t *testing.T, path string, visit func(table string, n int, column string, value []byte)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var tables []string
	list := query(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	for _, row := range list {
		tables = append(tables, string(row["name"]))
	}
	for _, table := range tables {
		for n, row := range query(t, db, `SELECT * FROM "`+table+`"`) {
			for column, value := range row {
				visit(table, n, column, value)
			}
		}
	}
}

func query(t *testing.T, db *sql.DB, text string) (out []map[string][]byte) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	for err == nil && rows.Next() {
		values, into := make([][]byte, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err = rows.Scan(into...); err == nil {
			row := map[string][]byte{}
			for i, c := range columns {
				row[c] = values[i]
			}
			out = append(out, row)
		}
	}
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
