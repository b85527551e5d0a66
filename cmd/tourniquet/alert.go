package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/config"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// alertFlags is what `alert send` is told.
type alertFlags struct {
	source, event, delivery string
	wait                    bool
	within                  time.Duration
}

// sentAlert is the door's answer and, with --wait, what became of the alert.
type sentAlert struct {
	AlertID  string `json:"alert_id,omitempty"`
	Status   string `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Fate     string `json:"fate,omitempty"`
	Incident string `json:"incident_id,omitempty"`
	Run      string `json:"run_id,omitempty"`
}

func (sh *shell) alertCmd() *cobra.Command {
	f := alertFlags{}
	send := &cobra.Command{
		Use: "send --source S FILE", Short: "Post a finding as that source would; - reads standard input",
		Args: exactly(1, "one file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error { return sh.alertSend(cmd, f, args[0]) },
	}
	flags := send.Flags()
	flags.StringVar(&f.source, "source", "", "who sends it: see tourniquet source list")
	flags.StringVar(&f.event, "event", "secret_scanning_alert", "name of the event, for sources that put it into a header")
	flags.StringVar(&f.delivery, "delivery", "", "id of the delivery, for sources that put it into a header (default: a new one)")
	flags.BoolVar(&f.wait, "wait", false, "wait until the alert's fate is known; needs a personal token")
	flags.DurationVar(&f.within, "wait-for", 30*time.Second, "how long to wait")
	_ = send.RegisterFlagCompletionFunc("source", completeSources)
	return group("alert", "Findings", online(send))
}

func (sh *shell) alertSend(cmd *cobra.Command, f alertFlags, file string) error {
	c, err := sh.load()
	if err != nil {
		return err
	}
	conf, ok := c.Sources[f.source]
	if !ok {
		return misuse("the source %q is not configured: add it under sources in %q; formats: %s", f.source, sh.Config, strings.Join(sourceNames(), ", "))
	}
	s, format, err := sourceOf(c, f.source)
	if err != nil {
		return err
	}
	base, err := sh.serverURL()
	if err != nil {
		return err
	}
	bodies, err := sh.findings(file, s)
	if err != nil {
		return err
	}
	var who *remote
	if f.wait { // before anything is sent: a wait that cannot work should not leave an alert behind
		if who, err = sh.remote(cmd); err != nil {
			return err
		}
	}
	for _, body := range bodies {
		req, err := http.NewRequestWithContext(cmd.Context(), http.MethodPost, base+"/v1/alerts/"+url.PathEscape(f.source), bytes.NewReader(body))
		if err != nil {
			return misuse("--server takes an address such as https://tourniquet.example.com")
		}
		if err := sh.prove(req, s.Describe(), format, conf, sh.places(c), f, body); err != nil {
			return err
		}
		sent, err := postFinding(cmd.Context(), base, req)
		if err != nil {
			return err
		}
		if f.wait && sent.AlertID != "" {
			err = followFate(cmd.Context(), who, sent, f.within)
		}
		if err := errors.Join(sh.sayAlert(sent), err); err != nil {
			return err
		}
	}
	return nil
}

// maxReport bounds what is read of a report that is sent in parts.
const maxReport = 256 << 20

// findings reads what is to be sent: one delivery, or the parts of a scanner's report.
func (sh *shell) findings(file string, s sources.Source) ([][]byte, error) {
	splitter, parts := s.(sources.Splitter)
	most := sources.MaxBody
	if parts {
		most = maxReport
	}
	body, err := sh.finding(file, most)
	if err != nil || !parts {
		return [][]byte{body}, err
	}
	out, err := splitter.Parts(body)
	if err != nil {
		return nil, misuse("the finding %q: %w", file, err)
	}
	return out, nil
}

// finding reads a file, and no more of it than is taken.
func (sh *shell) finding(file string, most int) ([]byte, error) {
	in := sh.In
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the path is the operator's own
		if err != nil {
			return nil, misuse("the finding %q cannot be read: %w", file, err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	switch {
	case err != nil:
		return nil, misuse("the finding %q cannot be read: %w", file, err)
	case len(body) > most:
		return nil, misuse("the finding %q is larger than %d bytes", file, most)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, misuse("the finding %q is empty", file)
	}
	return body, nil
}

// prove adds what the source's card asks for: its headers, and the signature or the token of the configuration.
func (sh *shell) prove(req *http.Request, card sources.Card, format string, conf config.Source, in config.Places, f alertFlags, body []byte) error {
	req.Header.Set("Content-Type", mediaOf(card, body))
	for _, h := range card.Headers {
		switch {
		case strings.HasSuffix(h, "-Event"):
			req.Header.Set(h, f.event)
		case strings.HasSuffix(h, "-Delivery"):
			req.Header.Set(h, orElse(f.delivery, deliveryID()))
		}
	}
	switch {
	case conf.Secret != "":
		key, err := conf.Secret.Resolve(in)
		if err != nil {
			return fmt.Errorf("sources.%s.secret: %w", f.source, err)
		}
		maps.Copy(req.Header, sources.SchemeOf(format).Sign([]byte(key), body, time.Now()))
	case conf.Token != "":
		token, err := conf.Token.Resolve(in)
		if err != nil {
			return fmt.Errorf("sources.%s.token: %w", f.source, err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	case !conf.Loopback:
		return misuse("the source %q is proven by what only its sender has; give it a token as well to send by hand", f.source)
	}
	return nil
}

// mediaOf is the content type of a body: its beginning tells a list from an object.
func mediaOf(card sources.Card, body []byte) string {
	list := bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
	for _, m := range card.Media {
		if list && strings.Contains(m, "batch") || strings.HasSuffix(m, "ndjson") {
			return m
		}
	}
	return card.Media[0]
}

// deliveryID is a random UUID, as senders of webhooks make one for each delivery.
func deliveryID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never returns an error since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// postFinding sends and reads the answer; a refusal is told in the door's own words.
func postFinding(ctx context.Context, base string, req *http.Request) (*sentAlert, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r := &remote{base: base, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	res, err := r.http.Do(req.WithContext(ctx))
	if err != nil {
		return nil, &unreachable{base, err}
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusAccepted {
		return nil, r.refused(res)
	}
	sent := &sentAlert{}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxProblem)).Decode(sent); err != nil || sent.Status == "" {
		return nil, fmt.Errorf("%s did not answer as tourniquet does; is the address right?", base)
	}
	return sent, nil
}

// fateTick is how often the fate is asked for.
const fateTick = 100 * time.Millisecond

// followFate asks until the alert is more than stored.
func followFate(ctx context.Context, who *remote, sent *sentAlert, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(fateTick)
	defer tick.Stop()
	for {
		var fate struct {
			Status, Reason string
			Incident       string `json:"incident_id"`
			Run            string `json:"run_id"`
		}
		_, err := who.get(ctx, "/v1/alerts/"+url.PathEscape(sent.AlertID), &fate)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil {
			sent.Fate, sent.Reason, sent.Incident, sent.Run = fate.Status, fate.Reason, fate.Incident, fate.Run
			if fate.Status != incident.FateStored {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return &coded{exitWaiting, fmt.Errorf("alert %s is stored, but its fate is not known after %s", sent.AlertID, within)}
		case <-tick.C:
		}
	}
}

func (sh *shell) sayAlert(a *sentAlert) error {
	if sh.JSON {
		return sh.printJSON(a)
	}
	text := a.Status
	if a.AlertID != "" {
		text = fmt.Sprintf("alert %s %s", a.AlertID, a.Status)
	}
	for _, more := range []struct{ word, value string }{{", ", a.Fate}, {", run ", a.Run}, {", incident ", a.Incident}, {": ", a.Reason}} {
		if more.value != "" {
			text += more.word + more.value
		}
	}
	return sh.say("%s", text)
}
