package slack_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// tally is a meter that can be read.
type tally struct {
	mu    sync.Mutex
	calls map[string]int
	acts  map[string]int
}

func (m *tally) SlackCall(call, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[call+" "+outcome]++
}

func (m *tally) SlackAct(kind string, repeated bool, _ time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.acts[kind+map[bool]string{true: " again"}[repeated]]++
}

func (m *tally) of(what string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[what] + m.acts[what]
}

func TestWhatSlackRefusesIsSaidCountedAndTriedAgain(t *testing.T) {
	t.Parallel()
	for name, try := range map[string]struct {
		wrong   sandbox.SlackMischief
		says    string // in the error; "" when the call gets through in spite of it
		counted string
		lost    bool // the copy cannot be reached by any retry
	}{
		"429":              {sandbox.SlackMischief{Status: 429}, "", "ratelimited", false},
		"429 for long":     {sandbox.SlackMischief{Status: 429, RetryAfter: 3600}, "asks to wait 1h0m0s", "ratelimited", false},
		"500":              {sandbox.SlackMischief{Status: 500}, "answered status 500", "status_5xx", false},
		"503":              {sandbox.SlackMischief{Status: 503}, "answered status 503", "status_5xx", false},
		"no JSON":          {sandbox.SlackMischief{Garbage: true}, "asking Slack to change a message", "no_answer", false},
		"lost answer":      {sandbox.SlackMischief{Lost: true}, "did not answer", "no_answer", false},
		"account inactive": {sandbox.SlackMischief{Error: "account_inactive"}, "put a current bot token into the config", "account_inactive", false},
		"token revoked":    {sandbox.SlackMischief{Error: "token_revoked"}, "put a current bot token into the config", "token_revoked", false},
		"too long":         {sandbox.SlackMischief{Error: "msg_too_long"}, "decide it in the console", "msg_too_long", false},
		"unheard of":       {sandbox.SlackMischief{Error: "fatal_error"}, "fatal_error", "refused", false},
		"no channel":       {sandbox.SlackMischief{Error: "channel_not_found"}, "there is no such channel", "channel_not_found", true},
		"archived":         {sandbox.SlackMischief{Channel: "archived"}, "is archived", "is_inactive", true},
		"not a member":     {sandbox.SlackMischief{Channel: "left"}, "cannot see it", "channel_not_found", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := newTown(t, openView())
			d, err := tn.chat.Ask(t.Context(), openView(), "")
			if err != nil {
				t.Fatal(err)
			}
			if try.wrong.Channel == "" {
				try.wrong.Call = "chat.update"
			}
			if err := tn.slack.Misbehave(try.wrong); err != nil {
				t.Fatal(err)
			}
			closed := openView()
			closed.State = signoff.StateRejected
			_, err = tn.chat.Settle(t.Context(), d, closed)
			if (err == nil) != (try.says == "") || err != nil && !strings.Contains(err.Error(), try.says) {
				t.Errorf("it says: %v", err)
			}
			if errors.Is(err, chat.ErrUnreachable) != try.lost {
				t.Errorf("unreachable for good is %v: %v", !try.lost, err)
			}
			if tn.meter.of("change a message "+try.counted) == 0 {
				t.Errorf("it is not counted as %q: %v", try.counted, tn.meter.calls)
			}
			if err := tn.slack.Misbehave(sandbox.SlackMischief{Channel: "usual"}); err != nil {
				t.Fatal(err)
			}
			if now, err := tn.chat.Settle(t.Context(), d, closed); err != nil || now != d {
				t.Errorf("when Slack is back the copy does not follow: %+v %v", now, err)
			}
			if m := tn.slack.Messages()[0]; strings.Contains(string(m.Blocks), `"actions"`) {
				t.Error("the copy still has its buttons")
			}
			if n := len(tn.desk.all()); n != 0 {
				t.Errorf("an edge of Slack decided %d times", n)
			}
		})
	}
}

func TestASilentSlackHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Silence: true, Call: "chat.postMessage"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := tn.chat.Ask(ctx, openView(), ""); err == nil || !strings.Contains(err.Error(), "Slack did not answer when asked to post a message") {
		t.Errorf("it says: %v", err)
	}
	if tn.meter.of("post a message timeout") != 1 {
		t.Errorf("counted: %v", tn.meter.calls)
	}
}

func TestDeliveriesThatComeTwiceSwappedOrUnheardCountOnce(t *testing.T) {
	t.Parallel()
	for _, door := range []string{"http", "socket"} {
		for _, how := range []string{sandbox.DeliveryDuplicate, sandbox.DeliveryReorder, sandbox.DeliveryDropAck} {
			t.Run(door+" "+how, func(t *testing.T) {
				t.Parallel()
				tn := newTown(t, openView())
				if door == "socket" {
					connect(t, tn)
				}
				d, err := tn.chat.Ask(t.Context(), openView(), "")
				if err != nil {
					t.Fatal(err)
				}
				views := map[string]sandbox.SlackView{}
				for _, u := range []string{"U0KIM", "U0SAM"} {
					if err := tn.slack.Press(t.Context(), u, d.Channel, d.TS, "tourniquet_review"); err != nil {
						t.Fatal(err)
					}
					views[u] = tn.openModal(t, u, "")
				}
				if err := tn.slack.Misbehave(sandbox.SlackMischief{Deliveries: how, Times: 2}); err != nil {
					t.Fatal(err)
				}
				var both sync.WaitGroup
				for u, v := range views {
					both.Go(func() {
						if err := tn.slack.Submit(t.Context(), u, v.ID, nil); err != nil {
							t.Error(err)
						}
					})
				}
				both.Wait()
				tn.chat.Wait()
				got := map[string]int{}
				for _, p := range tn.desk.all() {
					got[p.User+" "+p.Verb]++
				}
				if len(got) != 2 || got["U0KIM approve"] != 1 || got["U0SAM approve"] != 1 {
					t.Errorf("the desk was handed %v", got)
				}
				if again := tn.meter.of("submit again"); (again == 2) != (how != sandbox.DeliveryReorder) {
					t.Errorf("%d deliveries are counted as repeated", again)
				}
			})
		}
	}
}

func TestADroppedConnectionIsMadeAnew(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	connect(t, tn)
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Disconnect: true}); err != nil {
		t.Fatal(err)
	}
	await(t, tn, "a new connection", func() (bool, bool) { return true, tn.slack.Connections() == 2 && tn.slack.Sockets() == 1 })
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err != nil {
		t.Fatal(err)
	}
	tn.openModal(t, "U0KIM", "")
}

func TestAnOldTapIsToldSoAndOpensNothing(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Error: "expired_trigger_id", Call: "views.open"}); err != nil {
		t.Fatal(err)
	}
	if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err != nil {
		t.Fatal(err)
	}
	tn.awaitPrivate(t, "U0KIM", "tap again")
	if n := len(tn.slack.Views()); n != 0 {
		t.Errorf("%d modals are open", n)
	}
}

func TestAnAnswerFindsAWayWhereTheAppIsNotInTheChannel(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	d, err := tn.chat.Ask(t.Context(), openView(), "")
	if err != nil {
		t.Fatal(err)
	}
	tn.desk.view.Digest = "sha256:other" // so that every tap is answered privately
	if err := tn.slack.Misbehave(sandbox.SlackMischief{Error: "not_in_channel", Call: "chat.postEphemeral", Times: 10}); err != nil {
		t.Fatal(err)
	}
	press := func() {
		t.Helper()
		if err := tn.slack.Press(t.Context(), "U0KIM", d.Channel, d.TS, "tourniquet_review"); err != nil {
			t.Fatal(err)
		}
		tn.chat.Wait()
	}
	press()
	last := tn.slack.Messages()
	if m := last[len(last)-1]; m.For != "U0KIM" || m.Channel != d.Channel || tn.meter.of("answer by response_url ok") != 1 {
		t.Fatalf("the answer went nowhere: %+v %v", m, tn.meter.calls)
	}
	tn.slack.UseUpResponses()
	press()
	last = tn.slack.Messages()
	if m := last[len(last)-1]; !strings.HasPrefix(m.Channel, "D") || tn.meter.of("answer by response_url used_url") != 1 {
		t.Errorf("with its address used up the answer went to %+v; %v", m, tn.meter.calls)
	}
}

func TestAnAnswerIsNeverSentToAnAddressThatIsNotSlacks(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	called := make(chan string, 10)
	elsewhere := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r.URL.String() })
	url := serve(t, elsewhere)
	body := strings.Replace(tn.submission(t, tn.creds.Team, tn.creds.App), "view_submission", "block_actions", 1)
	body = strings.Replace(body, "%22type%22", "%22response_url%22%3A%22"+strings.NewReplacer(":", "%3A", "/", "%2F").Replace(url)+"%2Fx%22%2C%22actions%22%3A%5B%7B%22block_id%22%3A%22b%22%2C%22action_id%22%3A%22a%22%2C%22type%22%3A%22button%22%2C%22value%22%3A%22x%22%7D%5D%2C%22type%22", 1)
	tn.deliver(t, body, time.Now())
	tn.chat.Wait()
	if tn.meter.of("answer by response_url no_answer") != 1 {
		t.Fatalf("the test does not reach the address: %v", tn.meter.calls)
	}
	select {
	case at := <-called:
		t.Errorf("an answer went to %s", at)
	default:
	}
}

func TestAnIncidentGetsAChannelOfItsOwnOnce(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	if _, err := tn.chat.Room(t.Context(), "inc_1", "Leak", []string{"U0KIM"}); err == nil || !strings.Contains(err.Error(), `"channels:manage"`) {
		t.Fatalf("without its scope: %v", err)
	}
	tn.slack.AddScope("channels:manage")
	first, err := tn.chat.Room(t.Context(), "inc_1", "Leak of <!channel> a key", []string{"U0KIM", "U0SAM", "U9NOBODY"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := tn.chat.Room(t.Context(), "inc_1", "Leak", []string{"U0KIM"})
	if err != nil || again != first {
		t.Errorf("a repeat made %q beside %q: %v", again, first, err)
	}
	if d, err := tn.chat.Ask(t.Context(), openView(), first); err != nil || d.Channel != first {
		t.Errorf("the card is in %+v: %v", d, err)
	}
	long, err := tn.chat.Room(t.Context(), strings.Repeat("Ünï cöde ", 30)+"!", strings.Repeat("long ", 200), nil)
	if err != nil || long == first {
		t.Errorf("an odd name: %q %v", long, err)
	}
}
