package slack

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"
)

const (
	repeatAge  = 10 * time.Minute
	mostRepeat = 4096
)

// repeats gives an act that Slack delivers again, over any of its connections and in any order, the answer of its first
// delivery. Slack's own marks of a retry are not looked at: an act is the same when its content is. After a restart the
// desk recognises what it has recorded.
type repeats struct {
	mu    sync.Mutex
	taken map[string]*taken
}

type taken struct {
	at    time.Time
	ready chan struct{}
	reply any
}

// once runs do for the first delivery; the others wait for its reply.
func (r *repeats) once(key string, do func() any) (reply any, repeated bool) {
	if key == "" {
		return do(), false
	}
	r.mu.Lock()
	first, known := r.taken[key]
	if !known {
		first = &taken{at: time.Now(), ready: make(chan struct{})}
		r.forget()
		r.taken[key] = first
	}
	r.mu.Unlock()
	if known {
		<-first.ready
		return first.reply, true
	}
	defer close(first.ready)
	first.reply = do()
	return first.reply, false
}

// forget makes room. The lock is held.
func (r *repeats) forget() {
	if len(r.taken) < mostRepeat {
		return
	}
	oldest, when := "", time.Now()
	for key, t := range r.taken {
		if time.Since(t.at) > repeatAge {
			delete(r.taken, key)
		} else if t.at.Before(when) {
			oldest, when = key, t.at
		}
	}
	if len(r.taken) >= mostRepeat {
		delete(r.taken, oldest)
	}
}

// actKey names one act: a trigger is made for one tap of one person. Without one every delivery is taken by itself.
func actKey(act slackapi.InteractionCallback) string {
	if act.TriggerID == "" {
		return ""
	}
	raw, err := json.Marshal([]any{act.Type, act.Team.ID, act.User.ID, act.TriggerID, act.View.ID, act.View.Hash, act.View.PrivateMetadata,
		act.Container, act.ActionCallback, act.View.State})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return string(sum[:])
}
