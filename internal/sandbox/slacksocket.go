package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// slackSocket is one connected Socket Mode client.
type slackSocket struct {
	write chan any
	gone  chan struct{}
	acks  chan slackAck
	ask1  chan struct{} // one envelope at a time
	bye   chan struct{} // closed when Slack wants the client to connect anew
	once  sync.Once
}

// hangUp has the socket say goodbye and close.
func (k *slackSocket) hangUp() { k.once.Do(func() { close(k.bye) }) }

type slackAck struct {
	Envelope string          `json:"envelope_id"`
	Payload  json.RawMessage `json:"payload"`
}

func (k *slackSocket) ask(ctx context.Context, kind string, payload []byte, retry int) ([]byte, error) {
	select {
	case k.ask1 <- struct{}{}:
		defer func() { <-k.ask1 }()
	case <-ctx.Done():
		return nil, fmt.Errorf("the app gave no answer within %s", slackPatience)
	}
	id := randomUUID()
	frame := slackOut{"envelope_id": id, "type": kind, "payload": json.RawMessage(payload), "accepts_response_payload": true}
	if retry > 0 {
		frame["retry_attempt"], frame["retry_reason"] = retry, "timeout"
	}
	select {
	case k.write <- frame:
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
	k := &slackSocket{write: make(chan any, 1), gone: make(chan struct{}), acks: make(chan slackAck, 8), ask1: make(chan struct{}, 1), bye: make(chan struct{})}
	s.mu.Lock()
	s.sockets, s.connections = append(s.sockets, k), s.connections+1
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
		case <-k.bye:
			_ = conn.WriteJSON(slackOut{"type": "disconnect", "reason": "refresh_requested", "debug_info": slackOut{"host": "sandbox"}}) // it closes either way
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

// Connections is how many Socket Mode clients have connected so far.
func (s *Slack) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// Sockets is how many Socket Mode clients are connected.
func (s *Slack) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}
