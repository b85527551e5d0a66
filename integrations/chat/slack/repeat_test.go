package slack_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// deliver sends one body as Slack would, signed at a time of its own; a retry of Slack's is signed anew.
func (tn *town) deliver(t *testing.T, body string, at time.Time) string {
	t.Helper()
	status, said := tn.knock(t, "", body, func(h http.Header) {
		tn.slack.Sign(h, []byte(body), at)
		h.Set("X-Slack-Retry-Num", "1")
		h.Set("X-Slack-Retry-Reason", "http_timeout")
	})
	if status != http.StatusOK {
		t.Errorf("a delivery was answered %d", status)
	}
	return said
}

func TestAnActThatIsDeliveredAgainGetsTheSameAnswerAndCountsOnce(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	body := strings.Replace(tn.submission(t, tn.creds.Team, tn.creds.App), "%22type%22", "%22trigger_id%22%3A%221.2.abc%22%2C%22type%22", 1)
	now := time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	said := map[string]int{}
	for i := range 8 {
		all.Go(func() {
			answer := tn.deliver(t, body, now.Add(-time.Duration(i)*time.Second))
			mu.Lock()
			defer mu.Unlock()
			said[answer]++
		})
	}
	all.Wait()
	tn.chat.Wait()
	if n := len(tn.desk.all()); n != 1 {
		t.Errorf("one act of eight deliveries is %d presses", n)
	}
	if len(said) != 1 {
		t.Errorf("its deliveries were answered differently: %v", said)
	}
	for answer := range said {
		if !strings.Contains(answer, "Recorded: approve by U0KIM") {
			t.Errorf("a delivery was answered %q", answer)
		}
	}
	other := strings.Replace(body, "1.2.abc", "1.2.abd", 1)
	if tn.deliver(t, other, now); len(tn.desk.all()) != 2 {
		t.Error("a new tap was taken for an old one")
	}
}

func TestTheSlashCommandSaysNothingInAChannelOfOthers(t *testing.T) {
	t.Parallel()
	tn := newTown(t, openView())
	for channel, answered := range map[string]bool{tn.creds.Channel: true, "D0KIM": true, "C0SHOWN": true, "C0OTHER": false} {
		if err := tn.slack.Command(t.Context(), "U0KIM", channel, "list"); err != nil {
			t.Fatal(err)
		}
		words := "Here I say nothing"
		if answered {
			words = "U0KIM asked list"
		}
		await(t, tn, "an answer in "+channel, func() (bool, bool) {
			for _, m := range tn.slack.Messages() {
				if m.Channel == channel && m.For == "U0KIM" {
					return true, strings.Contains(string(m.Blocks), words)
				}
			}
			return false, false
		})
	}
}
