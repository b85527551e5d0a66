package report

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"

	"github.com/tourniquet-ir/tourniquet/internal/database"
)

//go:embed report.html
var reportPage string

//go:embed report.css
var reportStyle string

// HTML tells a run as one page that needs nothing else: no script and no other file.
func HTML(ctx context.Context, db *database.DB, run string) ([]byte, error) {
	f, err := Load(ctx, db, run)
	if err != nil {
		return nil, err
	}
	return f.HTML()
}

// HTML tells the facts as one page.
func (f *Facts) HTML() ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"stamp": Stamp, "took": Took, "who": Who, "result": Result, "why": WhyOf, "orNobody": orNobody, "watermark": func() string { return watermark }, "orNone": orNone,
	}).Parse(reportPage)
	if err != nil {
		return nil, fmt.Errorf("page of the report: %w", err)
	}
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		*Facts
		Style template.CSS
	}{f, template.CSS(reportStyle)}) //nolint:gosec // our own embedded file
	if err != nil {
		return nil, fmt.Errorf("report of run %q: %w", f.Run.ID, err)
	}
	return Neutral(out.Bytes()), nil
}

// Policy is the Content-Security-Policy under which the page may be served: its one style, by digest, and pictures that it holds itself.
func Policy() string {
	sum := sha256.Sum256([]byte(reportStyle))
	return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
