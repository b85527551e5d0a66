package smtp_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/mail/smtp"
)

// relay is a small SMTP server: it keeps the mails that it took and refuses receivers at refused.example.
type relay struct {
	starttls *tls.Config
	code     int // answered to MAIL when not 0

	mu    sync.Mutex
	mails []string
	tls   bool
}

func (s *relay) serve(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(c)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *relay) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	say := func(f string, a ...any) { _, _ = fmt.Fprintf(c, f+"\r\n", a...) }
	say("220 relay.test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		switch {
		case verb == "EHLO" && s.starttls != nil:
			say("250-relay.test\r\n250 STARTTLS")
		case verb == "EHLO":
			say("250 relay.test")
		case verb == "STARTTLS":
			say("220 go")
			secure := tls.Server(c, s.starttls)
			c, in = secure, bufio.NewReader(secure)
			say = func(f string, a ...any) { _, _ = fmt.Fprintf(secure, f+"\r\n", a...) }
			s.mu.Lock()
			s.tls = true
			s.mu.Unlock()
		case verb == "MAIL" && s.code != 0:
			say("%d no: %s", s.code, strings.TrimSpace(line))
		case verb == "RCPT" && strings.Contains(line, "refused.example"):
			say("550 no such person")
		case verb == "DATA":
			say("354 go")
			var b strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil || l == ".\r\n" {
					break
				}
				b.WriteString(l)
			}
			s.mu.Lock()
			s.mails = append(s.mails, b.String())
			s.mu.Unlock()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func mailer(t *testing.T, port int, change func(*smtp.Options)) *smtp.Mailer {
	t.Helper()
	o := smtp.Options{Host: "127.0.0.1", Port: port, TLS: smtp.TLSNone, From: "tourniquet@example.org"}
	if change != nil {
		change(&o)
	}
	m, err := smtp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMailArrivesAsPlainText(t *testing.T) {
	t.Parallel()
	s := &relay{}
	m := mailer(t, s.serve(t), nil)
	if err := m.Send(context.Background(), []string{"anna@example.org", "bob@example.org"}, "Key contained", "Hello <b>there</b>\n.\nDATA"); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mails) != 1 {
		t.Fatalf("%d mails", len(s.mails))
	}
	for _, want := range []string{"Subject: Key contained", "<anna@example.org>", "<bob@example.org>", "text/plain", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(s.mails[0], want) {
			t.Errorf("the mail lacks %q:\n%s", want, s.mails[0])
		}
	}
}

func TestHeadersCannotBeForged(t *testing.T) {
	t.Parallel()
	s := &relay{}
	m := mailer(t, s.serve(t), nil)
	for _, c := range []struct {
		to      []string
		subject string
	}{
		{nil, "s"}, {[]string{"a@example.org"}, ""},
		{[]string{"a@example.org"}, "s\r\nBcc: evil@example.org"},
		{[]string{"a@example.org"}, "s\nBcc: evil@example.org"},
		{[]string{"a@example.org\r\nBcc: evil@example.org"}, "s"},
		{[]string{"a@example.org, evil@example.org"}, "s"},
		{[]string{"Anna <a@example.org>"}, "s"},
	} {
		if err := m.Send(context.Background(), c.to, c.subject, "t"); !keys.IsPermanent(err) {
			t.Errorf("%q %q: %v", c.to, c.subject, err)
		}
	}
	if len(s.mails) != 0 {
		t.Errorf("%d mails went out", len(s.mails))
	}
}

func TestMailIsNeverSentInTheClearUnlessToldTo(t *testing.T) {
	t.Parallel()
	plain := &relay{}
	err := mailer(t, plain.serve(t), func(o *smtp.Options) { o.TLS = "" }).Send(context.Background(), []string{"a@example.org"}, "s", "t")
	if !keys.IsPermanent(err) || len(plain.mails) != 0 {
		t.Errorf("a relay without STARTTLS: %v", err)
	}
	helper := httptest.NewTLSServer(nil)
	defer helper.Close()
	secure := &relay{starttls: helper.TLS}
	port := secure.serve(t)
	trust := helper.Client().Transport.(*http.Transport).TLSClientConfig
	err = mailer(t, port, func(o *smtp.Options) { o.TLS, o.Config = smtp.TLSStart, trust }).
		Send(context.Background(), []string{"a@example.org"}, "s", "t")
	if err != nil || !secure.tls || len(secure.mails) != 1 {
		t.Errorf("a relay with STARTTLS: %v, tls %v, %d mails", err, secure.tls, len(secure.mails))
	}
	err = mailer(t, port, func(o *smtp.Options) { o.TLS = smtp.TLSStart }).
		Send(context.Background(), []string{"a@example.org"}, "s", "t")
	if err == nil || len(secure.mails) != 1 {
		t.Errorf("a certificate that nobody vouches for was believed: %v", err)
	}
	if _, err := smtp.New(smtp.Options{Host: "h", TLS: smtp.TLSNone, User: "u", From: "a@example.org"}); err == nil {
		t.Error("a password in the clear was taken")
	}
}

func TestRefusalsAreSortedIntoRetryAndPark(t *testing.T) {
	t.Parallel()
	for code, permanent := range map[int]bool{421: false, 451: false, 550: true, 554: true} {
		s := &relay{code: code}
		err := mailer(t, s.serve(t), nil).Send(context.Background(), []string{"a@example.org"}, "s", "t")
		if err == nil || keys.IsPermanent(err) != permanent {
			t.Errorf("%d: %v", code, err)
		}
	}
	s := &relay{}
	if err := mailer(t, s.serve(t), nil).Send(context.Background(), []string{"a@refused.example"}, "s", "t"); !keys.IsPermanent(err) {
		t.Errorf("an unknown receiver: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	if err := mailer(t, port, nil).Send(context.Background(), []string{"a@example.org"}, "s", "t"); err == nil || keys.IsPermanent(err) {
		t.Errorf("a relay that is down: %v", err)
	}
}
