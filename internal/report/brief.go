package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

const (
	mostOpen  = 10  // lines of what is still open in a brief
	lineBytes = 400 // bytes of one line
)

// Posting is the report as it is posted where an incident is talked about: plain lines, the summary first.
type Posting struct {
	Lines   []string
	Avoided float64 // US dollars that a contained theft did not cost any more; 0 where nobody can say
}

// Brief makes the posting of a run.
func Brief(ctx context.Context, db *database.DB, run string) (Posting, error) {
	f, err := Load(ctx, db, run)
	if err != nil {
		return Posting{}, err
	}
	p := Posting{Lines: f.Brief()}
	if usd, known := f.Avoided(); known && f.Run.Outcome == incident.OutcomeContained {
		p.Avoided = usd
	}
	return p, nil
}

// Brief is the lines of facts that are loaded.
func (f *Facts) Brief() []string {
	var out []string
	add := func(format string, args ...any) {
		line := strings.Join(strings.Fields(string(Neutral([]byte(fmt.Sprintf(format, args...))))), " ")
		if len(line) > lineBytes {
			line = line[:lineBytes]
			for !utf8.ValidString(line) {
				line = line[:len(line)-1]
			}
			line += "…"
		}
		out = append(out, line)
	}
	if f.Drill {
		add(watermark)
	}
	for _, s := range f.Summary {
		add("%s", s)
	}
	for i, o := range f.Open {
		if i == mostOpen {
			add("Still open: %d more, in the report", len(f.Open)-mostOpen)
			break
		}
		add("Still open: %s", o.What)
	}
	sum := sha256.Sum256(f.Markdown())
	add("The report as it stands has the SHA-256 %s.", hex.EncodeToString(sum[:]))
	return out
}
