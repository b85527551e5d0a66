package slack_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/integrations/chat/slack"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

const hostileWords = "<!channel> <https://evil.example|click> *bold* `x` \u202Egnp.exe\u200B \x1b[31m p\u0430ypal &amp; "

// hostile fills every text of a view with markup, hidden characters and 40 kB.
func hostile() signoff.View {
	long := strings.Repeat(hostileWords, 40<<10/len(hostileWords))
	v := openView()
	v.Title, v.Why, v.Spent, v.Waiting, v.Who, v.WhoNot, v.Otherwise, v.Place = long, long, long, long, long, long, long, long
	v.Link = "javascript:alert(1)//" + long
	v.Impact, v.Refused = []string{long, long, long, long, long, long, long, long}, []string{long, long, long, long, long}
	v.Envelope.Incident, v.Envelope.Playbook = long, long
	for range 12 {
		v.Changes = append(v.Changes, signoff.Change{Target: long, Before: long, After: long, Undo: long})
		v.Decided = append(v.Decided, signoff.Decision{Person: long, Name: long, Verb: signoff.Approve, Reason: long, Surface: long, At: time.Unix(1, 0)})
		v.Envelope.Calls = append(v.Envelope.Calls, signoff.PlannedCall{Action: long, Target: long, Effect: long, Reach: long})
	}
	return v
}

func TestAHostileViewFitsSlackAndNeverBecomesMarkup(t *testing.T) {
	t.Parallel()
	tn := newTown(t, hostile())
	for _, state := range []string{signoff.StateOpen, signoff.StateRejected} {
		v := hostile()
		v.State = state
		d, err := tn.chat.Ask(t.Context(), v, "")
		if err != nil {
			t.Fatalf("in state %s: %v", state, err)
		}
		for _, m := range tn.slack.Messages() {
			if m.TS != d.TS {
				continue
			}
			checkInert(t, string(m.Blocks))
			if strings.Contains(m.Text, "evil") || strings.Contains(m.Text, "channel") {
				t.Errorf("the notification text holds outside words: %q", m.Text)
			}
		}
	}
}

func checkInert(t *testing.T, raw string) {
	t.Helper()
	for _, bad := range []string{`"mrkdwn"`, "\u202E", `\u202e`, "\u200B", `\u200b`, `\u001b`, `"url":"javascript`} {
		if strings.Contains(raw, bad) {
			t.Errorf("the card holds %q", bad)
		}
	}
	for _, shown := range []string{"‹U+202E›", "‹U+001B›", "‹mixed scripts›"} {
		if !strings.Contains(raw, shown) {
			t.Errorf("the card does not show %q", shown)
		}
	}
}

func TestTheCardSaysEverythingInOrder(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(slack.Card(openView()))
	if err != nil {
		t.Fatal(err)
	}
	rest := string(raw)
	for _, want := range []string{
		"DRILL · Delete the stolen Gemini key", "0 of 2 seats filled", "WHAT", "key.revoke", "projects/acme-prod/locations/global/keys/8f2e",
		"cannot be undone", "WHY", "public commit", "IMPACT", "4 of 5 dependents", "CHANGE", "contained", "deleted", "BURN", "$1,284.10 (estimated)",
		"$28 a minute", "WHO", "2 of secops", "the starter", "DEADLINE", "2031-05-01 04:00 UTC", `"type":"date"`, "the key stays contained",
		"Review and approve…", "Reject…", "inc_1", "gemini-leak@aabbccddeeff", "step 5 of 8", "request sr_7f3a", "check code 4B1D-9C07",
		"tourniquet signoff approve sr_7f3a --code 4B1D-9C07",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("the card lacks %q, or shows it too early; what is left: %s", want, rest)
		}
		rest = after
	}
}

func TestADecidedCardHasNoButtons(t *testing.T) {
	t.Parallel()
	for _, state := range []string{signoff.StateQuorum, signoff.StateRejected, signoff.StateExpired, signoff.StateVoided, signoff.StateDone, "unheard of", ""} {
		v := openView()
		v.State = state
		raw, err := json.Marshal(slack.Card(v))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), `"actions"`) || strings.Contains(string(raw), "--code") {
			t.Errorf("in state %q the card can still be pressed", state)
		}
	}
}

func TestAPageOfManySmallPartsFitsAModal(t *testing.T) {
	t.Parallel()
	v := openView()
	for range 300 {
		v.Changes = append(v.Changes, signoff.Change{Target: "a", Before: "b", After: "c"})
	}
	shown := 0
	for page := range 10 {
		modal := slack.Review(v, chat.Delivery{}, page)
		if n := len(modal.Blocks.BlockSet); n > 100 {
			t.Fatalf("page %d has %d blocks", page, n)
		}
		raw, err := json.Marshal(modal.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		shown += strings.Count(string(raw), "before: b")
		if modal.Submit != nil {
			break
		}
	}
	if shown != 300 {
		t.Errorf("the review shows %d of 300 changes before submit is offered", shown)
	}
}
