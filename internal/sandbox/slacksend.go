package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// Sign makes the v0 signature headers of Slack for a body sent at the given time.
func (s *Slack) Sign(header http.Header, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.creds.SigningSecret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	header.Set("X-Slack-Request-Timestamp", stamp)
	header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// send hands something to the app over Socket Mode when a client is connected, else over signed HTTP, and waits
// three seconds for the acknowledgement.
func (s *Slack) send(ctx context.Context, kind string, payload []byte, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, slackPatience)
	defer cancel()
	s.mu.Lock()
	address := s.interactivity
	if kind == "slash_commands" {
		address = s.commands
	}
	var socket *slackSocket
	if len(s.sockets) > 0 {
		socket = s.sockets[len(s.sockets)-1]
	}
	s.mu.Unlock()
	if socket != nil {
		return socket.ask(ctx, kind, payload)
	}
	if address == "" {
		return nil, fmt.Errorf("no app is connected to receive it")
	}
	body := []byte(form.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("the interactivity address is not usable: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.Sign(req.Header, body, time.Now())
	res, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the app gave no answer within %s", slackPatience)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the app answered status %d", res.StatusCode)
	}
	return answer, nil
}

// Command sends a slash command and shows its private answer.
func (s *Slack) Command(ctx context.Context, user, channel, text string) error {
	fields := map[string]string{"command": "/tourniquet", "text": text, "user_id": user, "channel_id": channel,
		"team_id": s.creds.Team, "api_app_id": s.creds.App}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("writing the command: %w", err)
	}
	answer, err := s.send(ctx, "slash_commands", raw, form)
	if err != nil {
		s.slackbot(channel, user, "/tourniquet failed: "+err.Error())
		return nil
	}
	var told struct {
		Text   string          `json:"text"`
		Blocks json.RawMessage `json:"blocks"`
	}
	if len(answer) == 0 || json.Unmarshal(answer, &told) != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, &SlackMessage{Channel: channel, TS: s.nextTS(), Text: told.Text, Blocks: told.Blocks, For: user, From: "Tourniquet"})
	s.touch()
	return nil
}

// slackSocket is one connected Socket Mode client.
type slackSocket struct {
	write chan any
	gone  chan struct{}
	acks  chan slackAck
	ask1  chan struct{} // one envelope at a time
}

type slackAck struct {
	Envelope string          `json:"envelope_id"`
	Payload  json.RawMessage `json:"payload"`
}

func (k *slackSocket) ask(ctx context.Context, kind string, payload []byte) ([]byte, error) {
	select {
	case k.ask1 <- struct{}{}:
		defer func() { <-k.ask1 }()
	case <-ctx.Done():
		return nil, fmt.Errorf("the app gave no answer within %s", slackPatience)
	}
	id := randomUUID()
	select {
	case k.write <- slackOut{"envelope_id": id, "type": kind, "payload": json.RawMessage(payload), "accepts_response_payload": true}:
	case <-k.gone:
		return nil, fmt.Errorf("the app's connection was lost")
	}
	for {
		select {
		case ack := <-k.acks:
			if ack.Envelope == id {
				return ack.Payload, nil
			}
		case <-k.gone:
			return nil, fmt.Errorf("the app's connection was lost")
		case <-ctx.Done():
			return nil, fmt.Errorf("the app gave no answer within %s", slackPatience)
		}
	}
}

func (s *Slack) openConnection(a slackArgs) slackOut {
	ticket := randomText(lowerAlphabet, 32)
	s.tickets[ticket] = s.w.Now()
	return slackOut{"ok": true, "url": "ws://" + a.host + "/socket?ticket=" + ticket}
}

func (s *Slack) serveSocket(rw http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	s.mu.Lock()
	at, known := s.tickets[ticket]
	delete(s.tickets, ticket)
	s.mu.Unlock()
	if !known || s.w.Now().Sub(at) > 30*time.Second {
		http.Error(rw, "unknown ticket", http.StatusUnauthorized)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // the ticket is the proof
	conn, err := up.Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	k := &slackSocket{write: make(chan any, 1), gone: make(chan struct{}), acks: make(chan slackAck, 8), ask1: make(chan struct{}, 1)}
	s.mu.Lock()
	s.sockets = append(s.sockets, k)
	s.touch()
	s.mu.Unlock()
	go k.read(conn)
	k.pump(conn)
	s.mu.Lock()
	for i := range s.sockets {
		if s.sockets[i] == k {
			s.sockets = append(s.sockets[:i], s.sockets[i+1:]...)
			break
		}
	}
	s.touch()
	s.mu.Unlock()
}

// read takes acknowledgements until the client goes away. Slack drops those of 20 kB and more.
func (k *slackSocket) read(conn *websocket.Conn) {
	defer close(k.gone)
	for {
		_, raw, err := conn.ReadMessage()
		if err != nil {
			return
		}
		var ack slackAck
		if len(raw) >= 20<<10 || json.Unmarshal(raw, &ack) != nil {
			continue
		}
		select {
		case k.acks <- ack:
		default: // nobody waits for it any more
		}
	}
}

func (k *slackSocket) pump(conn *websocket.Conn) {
	if conn.WriteJSON(slackOut{"type": "hello", "num_connections": 1}) != nil {
		return
	}
	ping := time.NewTicker(5 * time.Second)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-k.gone:
			return
		case frame := <-k.write:
			err = conn.WriteJSON(frame)
		case <-ping.C:
			err = conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second))
		}
		if err != nil {
			return
		}
	}
}

// Sockets is how many Socket Mode clients are connected.
func (s *Slack) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}
