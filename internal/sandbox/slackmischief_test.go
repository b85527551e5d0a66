package sandbox

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func (tn *slackTown) admin(header, body string) (int, string) {
	tn.Helper()
	req, err := http.NewRequestWithContext(tn.Context(), http.MethodPost, tn.url+"/admin/misbehave", strings.NewReader(body))
	if err != nil {
		tn.Fatal(err)
	}
	req.Header.Set("X-Sandbox-Slack", header)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tn.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	said, err := io.ReadAll(res.Body)
	if err != nil {
		tn.Fatal(err)
	}
	return res.StatusCode, string(said)
}

func TestTheWorkspaceMisbehavesAsItIsTold(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	token, hello := tn.slack.creds.Token, map[string]string{"channel": tn.slack.creds.Channel, "text": "hello"}
	for _, bad := range []string{"{", `{"what":1}`, `{"call":"chat.shout","error":"x"}`, `{"deliveries":"never"}`, `{"channel":"blue"}`, `{"status":200}`, `{"times":-1}`} {
		if status, said := tn.admin("admin", bad); status < 400 || said == "" {
			t.Errorf("%s was answered %d %q", bad, status, said)
		}
	}
	if status, _ := tn.admin("page", `{"error":"account_inactive"}`); status != http.StatusForbidden {
		t.Errorf("the page may have the workspace misbehave: %d", status)
	}
	if status, said := tn.admin("admin", `{"error":"account_inactive","call":"chat.postMessage","times":2}`); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, said)
	}
	if got := tn.ask("auth.test", token, nil); got != "" {
		t.Errorf("another call suffers: %q", got)
	}
	for _, want := range []string{"account_inactive", "account_inactive", ""} {
		if got := tn.ask("chat.postMessage", token, hello); got != want {
			t.Errorf("answered %q, want %q", got, want)
		}
	}
	for state, want := range map[string]string{"archived": "is_archived", "left": "not_in_channel", "usual": ""} {
		tn.admin("admin", `{"channel":"usual"}`)
		tn.admin("admin", `{"channel":"`+state+`"}`)
		if got := tn.ask("chat.postMessage", token, hello); got != want {
			t.Errorf("in a channel that is %s: %q", state, got)
		}
	}
}

func (tn *slackTown) status(method string, fields map[string]string) (int, string) {
	tn.Helper()
	body := "token=" + tn.slack.creds.Token
	for name, value := range fields {
		body += "&" + name + "=" + value
	}
	res, err := http.Post(tn.url+"/api/"+method, "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		tn.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode, res.Header.Get("Retry-After")
}

func TestRateLimitsHoldWhenTheyAreSwitchedOn(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	hello := map[string]string{"channel": tn.slack.creds.Channel, "text": "hello"}
	tn.admin("admin", `{"limits":true}`)
	for i := range 5 {
		if status, _ := tn.status("chat.postMessage", hello); status != http.StatusOK {
			t.Fatalf("message %d was answered %d", i, status)
		}
	}
	if status, after := tn.status("chat.postMessage", hello); status != http.StatusTooManyRequests || after != "1" {
		t.Errorf("the sixth message in one second was answered %d, Retry-After %q", status, after)
	}
	tn.clock = tn.clock.Add(time.Second)
	if status, _ := tn.status("chat.postMessage", hello); status != http.StatusOK {
		t.Errorf("a second later: %d", status)
	}
	for i := range 20 {
		if status, _ := tn.status("usergroups.list", nil); status != http.StatusOK {
			t.Fatalf("call %d of a method of tier 2 was answered %d", i, status)
		}
	}
	if status, after := tn.status("usergroups.list", nil); status != http.StatusTooManyRequests || after != "3" {
		t.Errorf("the 21st call in a minute was answered %d, Retry-After %q", status, after)
	}
	tn.admin("admin", `{"limits":false}`)
	if status, _ := tn.status("usergroups.list", nil); status != http.StatusOK {
		t.Errorf("without limits: %d", status)
	}
}

func TestAResponseURLIsGoodForFiveAnswersWithinHalfAnHour(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	tn.ask("auth.test", tn.slack.creds.Token, nil) // from here on the workspace knows its own address
	url := func() string {
		tn.slack.mu.Lock()
		defer tn.slack.mu.Unlock()
		return tn.slack.responseURL("U0KIM", tn.slack.creds.Channel)
	}
	answer := func(to, body string) string {
		res, err := http.Post(to, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		said, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(said)
	}
	first, second := url(), url()
	if said := answer(first, `{"text":""}`); !strings.Contains(said, "no_text") {
		t.Errorf("an empty answer was taken: %s", said)
	}
	for i := range 5 {
		if said := answer(first, `{"text":"done"}`); !strings.Contains(said, `"ok":true`) {
			t.Fatalf("answer %d: %s", i, said)
		}
	}
	if said := answer(first, `{"text":"done"}`); !strings.Contains(said, "used_url") {
		t.Errorf("a sixth answer: %s", said)
	}
	tn.clock = tn.clock.Add(31 * time.Minute)
	if said := answer(second, `{"text":"done"}`); !strings.Contains(said, "expired_url") {
		t.Errorf("after half an hour: %s", said)
	}
	for _, m := range tn.slack.Messages() {
		if m.For != "U0KIM" {
			t.Errorf("an answer is seen by all: %+v", m)
		}
	}
}

func TestChannelsAreMadeAndRefusedAsSlackDoes(t *testing.T) {
	t.Parallel()
	tn := newSlackTown(t)
	tn.slack.AddPerson(SlackPerson{ID: "U0GONE", Name: "Gone", Deleted: true})
	token := tn.slack.creds.Token
	if got := tn.ask("conversations.create", token, map[string]string{"name": "inc"}); got != "missing_scope" {
		t.Errorf("without the scope: %q", got)
	}
	tn.slack.AddScope("channels:manage")
	for name, want := range map[string]string{"": "invalid_name_required", "inc idents": "invalid_name_specials", "INC": "invalid_name_specials",
		strings.Repeat("x", 81): "invalid_name_maxlength", "--": "invalid_name_punctuation", "incident-response": "name_taken", "incident-1": ""} {
		if got := tn.ask("conversations.create", token, map[string]string{"name": name}); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	made := tn.slack.channels[len(tn.slack.channels)-1].ID
	for users, want := range map[string]string{"U0NONE": "user_not_found", tn.slack.creds.Bot: "cant_invite_self", "U0GONE": "cant_invite", "": "no_user"} {
		if got := tn.ask("conversations.invite", token, map[string]string{"channel": made, "users": users}); got != want {
			t.Errorf("invite %q: %q, want %q", users, got, want)
		}
	}
	for _, want := range []string{"", "already_in_channel"} {
		if got := tn.ask("conversations.invite", token, map[string]string{"channel": made, "users": "U0KIM"}); got != want {
			t.Errorf("invite: %q, want %q", got, want)
		}
	}
}
