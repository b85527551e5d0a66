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

// send hands something to the app and waits three seconds for the acknowledgement. Unless it was told to misbehave it
// does so once, and in order.
func (s *Slack) send(ctx context.Context, kind string, payload []byte, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, slackPatience)
	defer cancel()
	how, gate, overtakes := s.nextDelivery()
	if how == DeliveryReorder {
		held := time.NewTimer(time.Second)
		defer held.Stop()
		select {
		case <-gate:
		case <-held.C: // nothing came that could overtake it
		case <-ctx.Done():
		}
	}
	answer, err := s.sendOnce(ctx, kind, payload, form, 0)
	if overtakes != nil {
		close(overtakes)
	}
	switch how {
	case DeliveryDuplicate:
		_, _ = s.sendOnce(ctx, kind, payload, form, 1) // the person has the first answer
	case DeliveryDropAck:
		_, _ = s.sendOnce(ctx, kind, payload, form, 1) // nobody hears this one either
		return nil, fmt.Errorf("the app gave no answer within %s", slackPatience)
	}
	return answer, err
}

// nextDelivery says what happens to this delivery, and which held one it overtakes.
func (s *Slack) nextDelivery() (how string, gate, overtakes chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.deliveries) > 0 {
		how, s.deliveries = s.deliveries[0], s.deliveries[1:]
	}
	if how == DeliveryReorder && s.gate == nil {
		s.gate = make(chan struct{})
		return how, s.gate, nil
	}
	overtakes, s.gate = s.gate, nil
	if how == DeliveryReorder {
		how = "" // one is held back already: this is the one that overtakes it
	}
	return how, nil, overtakes
}

// sendOnce uses Socket Mode when a client is connected, else signed HTTP. retry is 0 for the first delivery.
func (s *Slack) sendOnce(ctx context.Context, kind string, payload []byte, form url.Values, retry int) ([]byte, error) {
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
		return socket.ask(ctx, kind, payload, retry)
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
	if retry > 0 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(retry))
		req.Header.Set("X-Slack-Retry-Reason", "http_timeout")
	}
	s.Sign(req.Header, body, time.Now().Add(time.Duration(retry)*time.Second)) // a retry is signed anew
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
	s.mu.Lock()
	fields["response_url"] = s.responseURL(user, channel)
	s.mu.Unlock()
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
