package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

// reportForm reports whether a file's name says which form of the report it is to hold; no name wants none.
func reportForm(path string) bool {
	return path == "" || slices.Contains([]string{".md", ".html", ".json"}, filepath.Ext(path))
}

// writeReport writes the report of the drill's run, as its reviewers would read it.
func (d *rehearsal) writeReport(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	write := map[string]func(context.Context, *database.DB, string) ([]byte, error){".md": report.Markdown, ".html": report.HTML, ".json": report.JSON}[filepath.Ext(path)]
	body, err := write(ctx, d.db, d.run_.ID)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		return fmt.Errorf("the report of the drill cannot be written: %w", err)
	}
	return nil
}
