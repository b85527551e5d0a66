package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

type slackTown struct {
	*testing.T
	slack *Slack
	url   string
	clock time.Time
}

func newSlackTown(t *testing.T) *slackTown {
	t.Helper()
	tn := &slackTown{T: t, clock: time.Now()}
	tn.slack = NewWorld(Options{Now: func() time.Time { return tn.clock }}).Slack()
	tn.slack.AddPerson(SlackPerson{ID: "U0KIM", Name: "Kim Park"})
	server := httptest.NewServer(tn.slack.Handler())
	t.Cleanup(server.Close)
	tn.url = server.URL
	return tn
}

// ask calls a method with a form and returns Slack's error code, or "" when it obeyed.
func (tn *slackTown) ask(method, token string, fields map[string]string) string {
	tn.Helper()
	form := url.Values{"token": {token}}
	for name, value := range fields {
		form.Set(name, value)
	}
	return tn.post(method, "application/x-www-form-urlencoded", "", form.Encode())
}

func (tn *slackTown) post(method, kind, token, body string) string {
	tn.Helper()
	req, err := http.NewRequestWithContext(tn.Context(), http.MethodPost, tn.url+"/api/"+method, strings.NewReader(body))
	if err != nil {
		tn.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tn.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || res.StatusCode != http.StatusOK || answer.OK != (answer.Error == "") {
		tn.Fatalf("%s answered status %d, ok %v, error %q (%v)", method, res.StatusCode, answer.OK, answer.Error, err)
	}
	checkDescribed(tn.T, method, answer.Error)
	return answer.Error
}

func slackJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestSandboxSlackRefusesWhatSlackRefuses(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	token, channel := tn.slack.creds.Token, tn.slack.creds.Channel
	text := func(s string) slackBlock { return slackBlock{"type": "plain_text", "text": s} }
	blocks := func(list ...slackBlock) map[string]string {
		return map[string]string{"channel": channel, "text": "x", "blocks": slackJSON(t, list)}
	}
	button := func(label, value string) slackBlock {
		return slackBlock{"type": "actions", "elements": []any{slackBlock{"type": "button", "action_id": "a", "text": text(label), "value": value}}}
	}
	many := make([]slackBlock, 51)
	for i := range many {
		many[i] = slackBlock{"type": "divider"}
	}
	long := strings.Repeat("x", 3001)
	for name, try := range map[string]struct {
		method, token string
		fields        map[string]string
		want          string
	}{
		"no token":           {"auth.test", "", nil, "not_authed"},
		"bad token":          {"auth.test", "xoxb-other", nil, "invalid_auth"},
		"wrong kind":         {"apps.connections.open", token, nil, "not_allowed_token_type"},
		"unknown method":     {"chat.shout", token, nil, "unknown_method"},
		"unknown channel":    {"chat.postMessage", token, map[string]string{"channel": "C0NONE", "text": "x"}, "channel_not_found"},
		"nothing to say":     {"chat.postMessage", token, map[string]string{"channel": channel}, "no_text"},
		"not blocks":         {"chat.postMessage", token, map[string]string{"channel": channel, "blocks": "{"}, "invalid_blocks_format"},
		"51 blocks":          {"chat.postMessage", token, blocks(many...), "invalid_blocks"},
		"long section":       {"chat.postMessage", token, blocks(slackBlock{"type": "section", "text": text(long)}), "invalid_blocks"},
		"long header":        {"chat.postMessage", token, blocks(slackBlock{"type": "header", "text": text(long[:151])}), "invalid_blocks"},
		"empty text":         {"chat.postMessage", token, blocks(slackBlock{"type": "section", "text": text("")}), "invalid_blocks"},
		"long button":        {"chat.postMessage", token, blocks(button(long[:76], "v")), "invalid_blocks"},
		"long value":         {"chat.postMessage", token, blocks(button("b", long[:2001])), "invalid_blocks"},
		"metadata":           {"chat.postMessage", token, map[string]string{"channel": channel, "text": "x", "metadata": "{}"}, "invalid_metadata_format"},
		"update of nothing":  {"chat.update", token, map[string]string{"channel": channel, "ts": "1.1", "text": "x"}, "message_not_found"},
		"thread of nothing":  {"chat.postMessage", token, map[string]string{"channel": channel, "thread_ts": "1.1", "text": "x"}, "cannot_reply_to_message"},
		"ephemeral stranger": {"chat.postEphemeral", token, map[string]string{"channel": channel, "user": "U0NONE", "text": "x"}, "user_not_in_channel"},
		"unknown trigger":    {"views.open", token, map[string]string{"trigger_id": "1.2.3", "view": "{}"}, "invalid_trigger_id"},
		"unknown view":       {"views.update", token, map[string]string{"view_id": "V0", "view": "{}"}, "not_found"},
		"unknown user":       {"users.info", token, map[string]string{"user": "U0NONE"}, "user_not_found"},
		"unknown group":      {"usergroups.users.list", token, map[string]string{"usergroup": "S0NONE"}, "no_such_subteam"},
		"a good message":     {"chat.postMessage", token, blocks(slackBlock{"type": "section", "text": text(long[:3000])}, button("b", long[:2000])), ""},
	} {
		if got := tn.ask(try.method, try.token, try.fields); got != try.want {
			t.Errorf("%s: got %q, want %q", name, got, try.want)
		}
	}
	tn.slack.RemoveScope("chat:write")
	if got := tn.ask("chat.postMessage", token, map[string]string{"channel": channel, "text": "x"}); got != "missing_scope" {
		t.Errorf("without the scope: %q", got)
	}
	if got := tn.post("auth.test", "application/json", token, "{}"); got != "" {
		t.Errorf("a JSON body with the token in the header was refused: %q", got)
	}
}

func TestATriggerWorksOnceAndForThreeSeconds(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	view := slackJSON(t, slackBlock{"type": "modal", "title": slackBlock{"type": "plain_text", "text": "Hello"}, "blocks": []any{slackBlock{"type": "divider"}}})
	trigger := func() string {
		tn.slack.mu.Lock()
		defer tn.slack.mu.Unlock()
		id, _ := tn.slack.envelope("block_actions", "U0KIM")["trigger_id"].(string)
		return id
	}
	first, second := trigger(), trigger()
	open := func(id string) string {
		return tn.ask("views.open", tn.slack.creds.Token, map[string]string{"trigger_id": id, "view": view})
	}
	if got := open(first); got != "" {
		t.Fatalf("a fresh trigger was refused: %q", got)
	}
	if got := open(first); got != "exchanged_trigger_id" {
		t.Errorf("a used trigger: %q", got)
	}
	tn.clock = tn.clock.Add(4 * time.Second)
	if got := open(second); got != "expired_trigger_id" {
		t.Errorf("an old trigger: %q", got)
	}
}

func TestAnAppThatDoesNotAnswerIsShownToThePerson(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	button := []any{slackBlock{"type": "actions", "elements": []any{slackBlock{"type": "button", "action_id": "go",
		"text": slackBlock{"type": "plain_text", "text": "Go"}, "value": `{"request":"sr_1","verb":"answer"}`}}}}
	if got := tn.ask("chat.postMessage", tn.slack.creds.Token, map[string]string{"channel": tn.slack.creds.Channel, "text": "x", "blocks": slackJSON(t, button)}); got != "" {
		t.Fatal(got)
	}
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	t.Cleanup(gone.Close)
	tn.slack.Deliver(gone.URL, gone.URL)
	if err := tn.slack.Press(t.Context(), "U0KIM", tn.slack.creds.Channel, tn.slack.Messages()[0].TS, "go"); err != nil {
		t.Fatal(err)
	}
	last := tn.slack.Messages()[1]
	if last.For != "U0KIM" || !strings.Contains(last.Text, "did not answer") {
		t.Errorf("the person was told %+v", last)
	}
	var press, ack Entry
	for _, e := range tn.slack.w.Entries() {
		switch e.Method {
		case "PRESS":
			press = e
		case "ACK":
			ack = e
		}
	}
	if press.Path != "sr_1/answer" || press.Effect != EffectPress || press.Actor != "U0KIM" || ack.Status != 504 {
		t.Errorf("the world logged %+v and %+v", press, ack)
	}
}

func TestThePageIsServedUnderAStrictPolicyAndOnlyThePagePresses(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	for _, path := range []string{"/", "/slack.js", "/blocks.js", "/slack.css"} {
		res, err := http.Get(tn.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		policy := res.Header.Get("Content-Security-Policy")
		if err != nil || res.StatusCode != http.StatusOK || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "script-src 'self'") {
			t.Errorf("%s: status %d, policy %q, %v", path, res.StatusCode, policy, err)
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "onclick=", "style=", "<script>"} {
			if strings.Contains(string(body), bad) {
				t.Errorf("%s uses %q", path, bad)
			}
		}
	}
	res, err := http.Post(tn.url+"/page/press", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("another site could press: status %d", res.StatusCode)
	}
}
