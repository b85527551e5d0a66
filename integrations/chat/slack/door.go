package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
)

// ackWithin is how long Slack is kept waiting for the outcome. It gives up after three seconds, but a person looks at a
// still button: whoever needs longer is told that it goes on, and then how it ended.
const ackWithin = 200 * time.Millisecond

// Handler is the HTTP door: POST /interactions, /commands and /events, below whatever prefix the caller strips.
// Whoever cannot prove to be Slack gets the same 401, whatever is wrong. A nil replay keeps its memory in this process.
func (c *Chat) Handler(desk chat.Desk, replay Replay) http.Handler {
	if replay == nil {
		replay = NewMemoryReplay()
	}
	door := &door{chat: c, desk: desk, replay: replay}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /interactions", door.guard(door.interactions))
	mux.HandleFunc("POST /commands", door.guard(door.commands))
	mux.HandleFunc("POST /events", door.guard(door.events))
	return mux
}

type door struct {
	chat   *Chat
	desk   chat.Desk
	replay Replay
}

func refuse(w http.ResponseWriter) {
	http.Error(w, "not authenticated", http.StatusUnauthorized)
}

func (d *door) guard(next func(http.ResponseWriter, *http.Request, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, fault := d.chat.authentic(r, d.replay)
		switch fault {
		case faultNone:
			next(w, r, body)
		case faultTooLarge:
			http.Error(w, "the body is larger than 1 MiB", http.StatusRequestEntityTooLarge)
		case faultStore:
			http.Error(w, "try again", http.StatusServiceUnavailable)
		default:
			refuse(w)
		}
	}
}

func (d *door) interactions(w http.ResponseWriter, r *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		refuse(w)
		return
	}
	var act slackapi.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &act); err != nil {
		refuse(w)
		return
	}
	if !d.chat.allowed(act.Team.ID, act.APIAppID, act.Enterprise.ID) {
		refuse(w)
		return
	}
	answer(w, d.chat.interact(r.Context(), d.desk, act))
}

func (d *door) commands(w http.ResponseWriter, r *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		refuse(w)
		return
	}
	if !d.chat.allowed(form.Get("team_id"), form.Get("api_app_id"), form.Get("enterprise_id")) {
		refuse(w)
		return
	}
	answer(w, d.chat.command(r.Context(), d.desk, slackapi.SlashCommand{
		UserID: form.Get("user_id"), ChannelID: form.Get("channel_id"), Text: form.Get("text"), ResponseURL: form.Get("response_url"),
	}))
}

// events only proves to Slack that the address is ours; nothing that happens in channels moves a run.
func (d *door) events(w http.ResponseWriter, _ *http.Request, body []byte) {
	var event struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		refuse(w)
		return
	}
	if event.Type == "url_verification" {
		answer(w, map[string]string{"challenge": event.Challenge})
		return
	}
	answer(w, nil)
}

func answer(w http.ResponseWriter, body any) {
	if body == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // Slack has gone: there is nobody to tell
}
