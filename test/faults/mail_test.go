package faults

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/faulttest"
	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/mail/smtp"
)

// relay is a mail server that fails at one point of the talk.
type relay struct {
	at    string // the verb that it fails at; GREETING is before the first
	say   string // its answer there; empty closes the connection
	hang  bool   // no answer there
	flood bool   // an answer without an end
	sent  atomic.Int64
}

const mostMail = 64 << 20

func (r *relay) talk(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	answer := func(verb, usual string) bool {
		switch {
		case verb != r.at:
			_, err := fmt.Fprintf(c, "%s\r\n", usual)
			return err == nil
		case r.hang:
			<-ctx.Done()
		case r.flood:
			for block := []byte(strings.Repeat("x", 64<<10)); r.sent.Load() < mostMail; {
				n, err := c.Write(block)
				if r.sent.Add(int64(n)); err != nil {
					return false
				}
			}
		case r.say != "":
			_, _ = fmt.Fprintf(c, "%s\r\n", r.say) // the mailer may have gone
			return true
		}
		return false
	}
	if !answer("GREETING", "220 relay.test ESMTP") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		usual := "250 ok"
		if verb == "DATA" {
			usual = "354 go"
		}
		if !answer(verb, usual) {
			return
		}
		if verb == "DATA" && r.at != "DATA" {
			for line != ".\r\n" {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			if !answer("END", "250 taken") {
				return
			}
		}
	}
}

// mailFaults are what can go wrong with mail; permanent are those that nobody mends by sending again.
func mailFaults(t *testing.T) (out []faulttest.Result) {
	const secretText = "made-up-text-that-nobody-else-may-read"
	for name, c := range map[string]struct {
		relay     *relay
		permanent bool
	}{
		"421 at the greeting":  {&relay{at: "GREETING", say: "421 busy " + faulttest.Echo}, false},
		"450 for the sender":   {&relay{at: "MAIL", say: "450 later " + faulttest.Echo}, false},
		"451 for the receiver": {&relay{at: "RCPT", say: "451 later " + faulttest.Echo}, false},
		"550 for the receiver": {&relay{at: "RCPT", say: "550 nobody " + faulttest.Echo}, true},
		"552 for the text":     {&relay{at: "DATA", say: "552 too large " + faulttest.Echo}, true},
		"554 at the end":       {&relay{at: "END", say: "554 refused " + faulttest.Echo}, true},
		"no answer":            {&relay{at: "GREETING"}, false},
		"cut in the middle":    {&relay{at: "DATA"}, false},
		"silence":              {&relay{at: "MAIL", hang: true}, false},
		"another protocol":     {&relay{at: "GREETING", say: "HTTP/1.1 400 Bad Request " + faulttest.Echo}, false},
		faulttest.Endless:      {&relay{at: "GREETING", flood: true}, false},
	} {
		err := c.relay.send(t, secretText)
		switch {
		case err == nil:
			t.Errorf("%s: the fault was taken for success", name)
			continue
		case keys.IsPermanent(err) != c.permanent:
			t.Errorf("%s: asking again is pointless is %v for: %v", name, !c.permanent, err)
		case strings.Contains(err.Error(), secretText) || strings.Contains(err.Error(), faulttest.Echo):
			t.Errorf("%s: the error shows what it must not: %v", name, err)
		case c.relay.sent.Load() >= mostMail:
			t.Errorf("%s: an endless answer was read on and on", name)
		}
		class := faulttest.Retry
		if keys.IsPermanent(err) {
			class = faulttest.Ask
		}
		out = append(out, faulttest.Result{Client: "mail", Call: "send", Fault: name, Class: class})
	}
	return out
}

func (r *relay) send(t *testing.T, text string) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.talk(ctx, c)
		}
	}()
	m, err := smtp.New(smtp.Options{
		Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: smtp.TLSNone, From: "tourniquet@example.org", Timeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	within, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	return m.Send(within, []string{"ana@example.org"}, "A key is being spent", text)
}
