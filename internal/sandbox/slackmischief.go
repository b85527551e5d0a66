package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// SlackMischief is what a workspace can be told to do wrong, in the words of what Slack has been seen to do. Zero fields
// ask for nothing. The same shape is read by POST /admin/misbehave.
type SlackMischief struct {
	Call       string `json:"call"`        // Web API method that suffers; "" every one
	Times      int    `json:"times"`       // how many calls or deliveries; default 1
	Status     int    `json:"status"`      // HTTP status in place of an answer: 429, 500, 503
	RetryAfter int    `json:"retry_after"` // seconds, with 429
	Error      string `json:"error"`       // ok:false with this error, as account_inactive or token_revoked
	Silence    bool   `json:"silence"`     // no answer until the client gives up
	Lost       bool   `json:"lost"`        // obeyed, but the answer never arrives
	Garbage    bool   `json:"garbage"`     // an answer that is not JSON

	Deliveries string `json:"deliveries"` // duplicate, reorder or drop_ack: what happens to taps, submits and commands
	Disconnect bool   `json:"disconnect"` // ends every Socket Mode connection, as Slack does every few hours
	Channel    string `json:"channel"`    // archived, left, shared or usual: what becomes of the responders' channel
	Limits     *bool  `json:"limits"`     // whether Slack's rate limits hold; in a new workspace they do not
}

// What can happen to a delivery.
const (
	DeliveryDuplicate = "duplicate" // it comes twice
	DeliveryReorder   = "reorder"   // it comes after the next one
	DeliveryDropAck   = "drop_ack"  // its acknowledgement is lost, so it comes again
)

// Misbehave does what it is told from now on.
func (s *Slack) Misbehave(m SlackMischief) error {
	if m.Times == 0 {
		m.Times = 1
	}
	if m.Times < 0 || m.Times > 10_000 || m.Status < 0 || m.Status > 599 || m.Status > 0 && m.Status < 400 {
		return fmt.Errorf("times is 1 to 10000, and status is an error status of HTTP")
	}
	if m.Call != "" && slackMethods()[m.Call].call == nil {
		return fmt.Errorf("there is no method %q here", m.Call)
	}
	if m.Deliveries != "" && !slices.Contains([]string{DeliveryDuplicate, DeliveryReorder, DeliveryDropAck}, m.Deliveries) {
		return fmt.Errorf("deliveries is duplicate, reorder or drop_ack, not %q", m.Deliveries)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.spoilChannel(m.Channel); err != nil {
		return err
	}
	if m.Status > 0 || m.Error != "" || m.Silence || m.Lost || m.Garbage {
		s.mischief = append(s.mischief, m)
	}
	for range m.Times {
		if m.Deliveries != "" {
			s.deliveries = append(s.deliveries, m.Deliveries)
		}
	}
	if m.Disconnect {
		for _, k := range s.sockets {
			k.hangUp()
		}
	}
	if m.Limits != nil {
		s.limits = nil
		if *m.Limits {
			s.limits = map[string]*slackBucket{}
		}
	}
	s.touch()
	return nil
}

// spoilChannel changes the responders' channel. The lock is held.
func (s *Slack) spoilChannel(to string) error {
	c := s.channels[0]
	switch to {
	case "":
	case "archived":
		c.Archived = true
	case "left":
		c.Out = true
	case "shared":
		c.Shared = true
	case "usual":
		c.Archived, c.Out, c.Shared = false, false, false
	default:
		return fmt.Errorf("channel is archived, left, shared or usual, not %q", to)
	}
	return nil
}

// nextMischief takes what happens to this call, if anything.
func (s *Slack) nextMischief(method string) (SlackMischief, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.mischief {
		m := s.mischief[i]
		if m.Call != "" && m.Call != method {
			continue
		}
		if s.mischief[i].Times--; s.mischief[i].Times == 0 {
			s.mischief = slices.Delete(s.mischief, i, i+1)
		}
		return m, true
	}
	return SlackMischief{}, false
}

// asMischief says a fault of the world in Slack's words.
func asMischief(fault int) (SlackMischief, bool) {
	switch {
	case fault == FaultHang:
		return SlackMischief{Silence: true}, true
	case fault == FaultGarbage:
		return SlackMischief{Garbage: true}, true
	case fault == FaultLost:
		return SlackMischief{Lost: true}, true
	case fault > 0:
		return SlackMischief{Status: fault, RetryAfter: 1}, true
	}
	return SlackMischief{}, false
}

// spoil answers a call that goes wrong; done is false where the call is obeyed after all.
func (s *Slack) spoil(rw http.ResponseWriter, r *http.Request, m SlackMischief, entry Entry) (done bool) {
	switch {
	case m.Silence:
		<-r.Context().Done()
	case m.Garbage:
		entry.Status = http.StatusOK
		s.w.Record(entry)
		_, _ = io.WriteString(rw, "<html>upstream says hello</html>")
	case m.Status == http.StatusTooManyRequests:
		rw.Header().Set("Retry-After", strconv.Itoa(max(m.RetryAfter, 0)))
		s.reply(rw, entry, m.Status, slackRefuse("ratelimited"))
	case m.Status > 0:
		s.reply(rw, entry, m.Status, slackRefuse("internal_error"))
	case m.Error != "":
		s.reply(rw, entry, http.StatusOK, slackRefuse(m.Error))
	default:
		return false
	}
	return true
}

// slackBucket fills at a steady rate up to its size.
type slackBucket struct {
	left float64
	at   time.Time
}

// slackTiers are the calls a minute that Slack takes at least; a message to one channel may be posted each second.
func slackTiers() map[string]float64 {
	return map[string]float64{
		"chat.update": 50, "chat.postEphemeral": 100, "views.open": 100, "views.update": 100, "users.info": 100, "conversations.info": 50,
		"conversations.open": 50, "conversations.create": 20, "conversations.invite": 50, "conversations.setTopic": 20, "conversations.list": 20,
		"files.getUploadURLExternal": 100, "files.completeUploadExternal": 100, "usergroups.list": 20, "usergroups.users.list": 20, "apps.connections.open": 50,
	}
}

// limited says how long Slack wants the app to wait before this call; 0 means that it is taken. The lock is held.
func (s *Slack) limited(method string, a slackArgs) time.Duration {
	if s.limits == nil {
		return 0
	}
	name, perMinute, size := method, slackTiers()[method], slackTiers()[method]
	if method == "chat.postMessage" {
		name, perMinute, size = method+" "+a.get("channel"), 60, 5
	}
	if perMinute == 0 {
		return 0
	}
	now := s.w.Now()
	b := s.limits[name]
	if b == nil {
		b = &slackBucket{left: size, at: now}
		s.limits[name] = b
	}
	b.left, b.at = min(size, b.left+now.Sub(b.at).Minutes()*perMinute), now
	if b.left >= 1 {
		b.left--
		return 0
	}
	return time.Duration(float64(time.Minute) / perMinute)
}

// misbehave is POST /admin/misbehave. Like the page it wants a header that no other site in a browser can send.
func (s *Slack) misbehave(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Sandbox-Slack") != "admin" {
		http.Error(rw, "send the header X-Sandbox-Slack: admin", http.StatusForbidden)
		return
	}
	var m SlackMischief
	dec := json.NewDecoder(io.LimitReader(r.Body, bodyLimit))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		http.Error(rw, "the body is not the JSON that is expected here: "+err.Error(), http.StatusBadRequest)
		return
	}
	if err := s.Misbehave(m); err != nil {
		http.Error(rw, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	rw.WriteHeader(http.StatusNoContent)
}
