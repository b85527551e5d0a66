package sandbox

import (
	"encoding/json"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// slackArgs is one call of the Web API.
type slackArgs struct {
	values map[string]string // JSON values stay JSON text
	host   string
}

func (a slackArgs) get(name string) string { return a.values[name] }

type slackOut map[string]any

func slackRefuse(code string) slackOut { return slackOut{"ok": false, "error": code} }

type slackMethod struct {
	scope string // "" for none
	app   bool   // wants the app token
	call  func(*Slack, slackArgs) slackOut
}

func slackMethods() map[string]slackMethod {
	return map[string]slackMethod{
		"auth.test":                    {call: (*Slack).authTest},
		"chat.postMessage":             {scope: "chat:write", call: (*Slack).postMessage},
		"chat.update":                  {scope: "chat:write", call: (*Slack).updateMessage},
		"chat.postEphemeral":           {scope: "chat:write", call: (*Slack).postEphemeral},
		"chat.getPermalink":            {call: (*Slack).permalink},
		"conversations.create":         {scope: "channels:manage", call: (*Slack).createConversation},
		"conversations.invite":         {scope: "channels:manage", call: (*Slack).inviteToConversation},
		"conversations.list":           {scope: "channels:read", call: (*Slack).listConversations},
		"conversations.setTopic":       {scope: "channels:manage", call: (*Slack).setTopic},
		"conversations.open":           {scope: "im:write", call: (*Slack).openConversation},
		"conversations.info":           {scope: "channels:read", call: (*Slack).conversationInfo},
		"files.getUploadURLExternal":   {scope: "files:write", call: (*Slack).uploadURL},
		"files.completeUploadExternal": {scope: "files:write", call: (*Slack).completeUpload},
		"views.open":                   {call: (*Slack).openView},
		"views.update":                 {call: (*Slack).updateView},
		"users.info":                   {scope: "users:read", call: (*Slack).userInfo},
		"usergroups.list":              {scope: "usergroups:read", call: (*Slack).listGroups},
		"usergroups.users.list":        {scope: "usergroups:read", call: (*Slack).listGroupUsers},
		"apps.connections.open":        {app: true, call: (*Slack).openConnection},
	}
}

// Handler serves the Web API below /api/, Socket Mode at /socket and the page at /.
func (s *Slack) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := slackMethods()
	mux.HandleFunc("/api/{method}", func(rw http.ResponseWriter, r *http.Request) { s.serveAPI(rw, r, methods) })
	mux.HandleFunc("GET /socket", s.serveSocket)
	mux.HandleFunc("POST /respond/{id}", s.respond)
	mux.HandleFunc("POST /upload/v1/{ticket}", s.upload)
	mux.HandleFunc("POST /admin/misbehave", s.misbehave)
	s.pageRoutes(mux)
	return mux
}

func (s *Slack) serveAPI(rw http.ResponseWriter, r *http.Request, methods map[string]slackMethod) {
	entry := Entry{Service: "slack", Method: r.Method, Path: r.URL.Path, Actor: ActorUnknown}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, bodyLimit))
	if err != nil {
		s.reply(rw, entry, http.StatusRequestEntityTooLarge, slackRefuse("request_too_large"))
		return
	}
	wrong, any := asMischief(s.w.nextFault("slack"))
	if !any {
		wrong, any = s.nextMischief(r.PathValue("method"))
	}
	if any && s.spoil(rw, r, wrong, entry) {
		return
	}
	if wrong.Lost {
		defer panic(http.ErrAbortHandler)
		rw = discardWriter{}
	}
	method, known := methods[r.PathValue("method")]
	if !known {
		s.reply(rw, entry, http.StatusOK, slackRefuse("unknown_method"))
		return
	}
	args, token, code := readSlackArgs(r, body)
	out := slackRefuse(code)
	if code == "" {
		out = s.obey(rw, r.PathValue("method"), method, args, token, &entry)
	}
	status := http.StatusOK
	if out["error"] == "ratelimited" {
		status = http.StatusTooManyRequests
	}
	s.reply(rw, entry, status, out)
}

// discardWriter is for an answer that is lost on its way.
type discardWriter struct{}

func (discardWriter) Header() http.Header         { return http.Header{} }
func (discardWriter) Write(b []byte) (int, error) { return len(b), nil }
func (discardWriter) WriteHeader(int)             {}

func (s *Slack) reply(rw http.ResponseWriter, entry Entry, status int, out slackOut) {
	if out["ok"] != true {
		entry.Effect = ""
	}
	entry.Status = status
	s.w.Record(entry)
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(out)
}

// obey checks token and scope and runs the method.
func (s *Slack) obey(rw http.ResponseWriter, name string, m slackMethod, args slackArgs, token string, entry *Entry) slackOut {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case token == "":
		return slackRefuse("not_authed")
	case m.app && token == s.creds.Token, !m.app && token == s.creds.AppToken:
		return slackRefuse("not_allowed_token_type")
	case token != s.creds.Token && token != s.creds.AppToken:
		return slackRefuse("invalid_auth")
	}
	entry.Actor, s.host = ActorResponder, args.host
	if wait := s.limited(name, args); wait > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		return slackRefuse("ratelimited")
	}
	have := slices.Sorted(maps.Keys(s.scopes))
	rw.Header().Set("X-OAuth-Scopes", strings.Join(have, ","))
	if m.scope != "" && !s.scopes[m.scope] {
		return slackOut{"ok": false, "error": "missing_scope", "needed": m.scope, "provided": strings.Join(have, ",")}
	}
	entry.Effect = EffectNotify
	if m.scope != "chat:write" {
		entry.Effect = EffectObserve
	}
	return m.call(s, args)
}

// readSlackArgs takes form or JSON bodies and the query of a GET, with the token in the header or among them.
func readSlackArgs(r *http.Request, body []byte) (slackArgs, string, string) {
	args := slackArgs{values: map[string]string{}, host: r.Host}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var raw map[string]json.RawMessage
		if len(body) > 0 && json.Unmarshal(body, &raw) != nil {
			return args, "", "invalid_json"
		}
		for name, value := range raw {
			var text string
			if json.Unmarshal(value, &text) != nil {
				text = string(value)
			}
			args.values[name] = text
		}
	} else {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return args, "", "invalid_form_data"
		}
		for name, value := range r.URL.Query() {
			args.values[name] = value[0]
		}
		for name, value := range form {
			args.values[name] = value[0]
		}
	}
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		token = args.values["token"]
	}
	return args, token, ""
}
