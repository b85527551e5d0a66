package sandbox

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

//go:embed slackpage
var slackFiles embed.FS

const slackPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pageRoutes adds the page and what its script asks for. A press needs a header that only this page can send: other
// sites in the same browser cannot press.
func (s *Slack) pageRoutes(mux *http.ServeMux) {
	for path, file := range map[string]string{"/{$}": "index.html", "/slack.css": "slack.css", "/slack.js": "slack.js", "/blocks.js": "blocks.js"} {
		mux.HandleFunc("GET "+path, func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Security-Policy", slackPolicy)
			rw.Header().Set("X-Content-Type-Options", "nosniff")
			rw.Header().Set("Referrer-Policy", "no-referrer")
			rw.Header().Set("Cache-Control", "no-store")
			http.ServeFileFS(rw, r, slackFiles, "slackpage/"+pageFile(file))
		})
	}
	mux.HandleFunc("GET /files/{id}", s.serveFile)
	mux.HandleFunc("GET /page/state", s.pageState)
	mux.HandleFunc("GET /page/events", s.pageEvents)
	mux.HandleFunc("POST /page/{what}", s.pageAct)
}

// pageFile avoids ServeFile's redirect of index.html to its folder.
func pageFile(name string) string { return strings.Replace(name, "index.html", "page.html", 1) }

// pageState is everything that one person sees.
func (s *Slack) pageState(rw http.ResponseWriter, r *http.Request) {
	user := r.URL.Query().Get("user")
	s.mu.Lock()
	state := slackOut{"version": s.version, "people": s.people, "channel": s.channels[0], "connected": len(s.sockets) > 0 || s.interactivity != ""}
	var channels []*slackChannel
	visible := map[string]bool{}
	for _, c := range s.channels {
		if c.Person == "" || c.Person == user {
			channels = append(channels, c)
			visible[c.ID] = true
		}
	}
	messages := []SlackMessage{}
	for _, m := range s.messages {
		if visible[m.Channel] && (m.For == "" || m.For == user) {
			messages = append(messages, *m)
		}
	}
	for _, v := range s.views {
		if v.User == user {
			state["view"] = *v
		}
	}
	s.mu.Unlock()
	state["channels"], state["messages"] = channels, messages
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(rw).Encode(state)
}

// pageEvents tells the page that something changed; the page then asks for the state.
func (s *Slack) pageEvents(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("Cache-Control", "no-store")
	flow := http.NewResponseController(rw)
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	for {
		changed := s.Changed()
		s.mu.Lock()
		version := s.version
		s.mu.Unlock()
		if _, err := fmt.Fprintf(rw, "data: %d\n\n", version); err != nil || flow.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Slack) pageAct(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Sandbox-Slack") != "page" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		http.Error(rw, "only the page may press", http.StatusForbidden)
		return
	}
	var act struct {
		User    string                       `json:"user"`
		Channel string                       `json:"channel"`
		TS      string                       `json:"ts"`
		View    string                       `json:"view"`
		Action  string                       `json:"action"`
		Value   string                       `json:"value"`
		Text    string                       `json:"text"`
		Values  map[string]map[string]string `json:"values"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, bodyLimit)).Decode(&act); err != nil {
		http.Error(rw, "the body is not JSON", http.StatusBadRequest)
		return
	}
	var err error
	switch r.PathValue("what") {
	case "press":
		err = s.Choose(r.Context(), act.User, act.Channel, act.TS, act.Action, act.Value)
	case "press-in-view":
		err = s.PressInView(r.Context(), act.User, act.View, act.Action)
	case "submit":
		err = s.Submit(r.Context(), act.User, act.View, act.Values)
	case "close":
		s.CloseView(act.User, act.View)
	case "command":
		err = s.Command(r.Context(), act.User, act.Channel, act.Text)
	default:
		http.NotFound(rw, r)
		return
	}
	if err != nil {
		http.Error(rw, err.Error(), http.StatusConflict)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}
