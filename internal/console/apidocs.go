package console

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/history"
	"github.com/tourniquet-ir/tourniquet/internal/report"
)

type reportIn struct {
	ID     string `path:"id"`
	Format string `query:"format" doc:"md, html or json; without it what Accept asks for, else md"`
}

func (c *Console) apiReport(w http.ResponseWriter, r *http.Request, who api.Caller, in reportIn) {
	write, kind := c.Report.Markdown, "text/markdown; charset=utf-8"
	switch wanted(r) {
	case "md":
	case "html":
		write, kind = c.Report.HTML, "text/html; charset=utf-8"
		w.Header().Set("Content-Security-Policy", report.Policy())
	case "json":
		write, kind = c.Report.JSON, "application/json"
		if !who.Detail {
			api.Refuse(w, api.Fault(http.StatusForbidden, "role", notForRole))
			return
		}
	default:
		api.Refuse(w, api.Fault(http.StatusNotAcceptable, "format", "A report comes as md, html or json."))
		return
	}
	body, err := write(r.Context(), in.ID)
	if err != nil {
		w.Header().Set("Content-Security-Policy", policy)
		api.Refuse(w, c.apiFault(err))
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(body) // who went away does not need the rest
}

// wanted is the format asked for: ?format= first, then Accept, then Markdown.
func wanted(r *http.Request) string {
	if f := r.URL.Query().Get("format"); f != "" {
		return f
	}
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		switch kind, _, _ := mime.ParseMediaType(part); kind {
		case "text/html":
			return "html"
		case "application/json":
			return "json"
		case "text/markdown", "text/plain", "*/*":
			return "md"
		}
	}
	return "md"
}

func (c *Console) apiHistory(ctx context.Context, _ api.Caller, in byID) (history.History, error) {
	run, err := c.DB.Run(ctx, in.ID)
	if err != nil {
		return history.History{}, c.apiFault(err)
	}
	h, err := c.history(ctx, run)
	switch {
	case errors.Is(err, history.ErrGone):
		return h, api.Fault(http.StatusNotFound, "history_gone", err.Error())
	case err != nil:
		c.Logger.Error("a history could not be read", "run", run.ID, "error", err)
		return h, api.Fault(http.StatusServiceUnavailable, "history_away", history.ErrAway.Error())
	}
	return h, nil
}
