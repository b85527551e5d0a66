package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/mail"
)

// TLS policies.
const (
	TLSImplicit = "implicit" // TLS from the first byte, port 465
	TLSStart    = "starttls" // STARTTLS or nothing, port 587: the default
	TLSNone     = "none"     // only for a relay on loopback
)

// Options configure a mailer.
type Options struct {
	Host     string
	Port     int    // the policy's own port when 0
	TLS      string // TLSStart when empty
	User     string // no authentication when empty
	Password string // never shown
	From     string
	Config   *tls.Config // for a private certificate authority; the system's roots when nil
	Timeout  time.Duration
}

// Mailer sends plain text.
type Mailer struct{ o Options }

var _ mail.Mailer = (*Mailer)(nil)

// New checks the options and makes a mailer; it connects to nothing.
func New(o Options) (*Mailer, error) {
	if o.TLS == "" {
		o.TLS = TLSStart
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	ports := map[string]int{TLSImplicit: 465, TLSStart: 587, TLSNone: 25}
	port, known := ports[o.TLS]
	if !known {
		return nil, fmt.Errorf("the mail tls policy %q is not one of %s, %s, %s", o.TLS, TLSImplicit, TLSStart, TLSNone)
	}
	if o.Port == 0 {
		o.Port = port
	}
	if o.Host == "" || strings.ContainsAny(o.Host, " \r\n/@") {
		return nil, fmt.Errorf("%q is not the name of a mail host", o.Host)
	}
	if o.TLS == TLSNone && o.User != "" {
		return nil, errors.New("the mail password would travel in the clear: use tls starttls or implicit, or no user")
	}
	if _, err := address(o.From); err != nil {
		return nil, fmt.Errorf("the mail sender: %w", err)
	}
	return &Mailer{o: o}, nil
}

// Send implements mail.Mailer. All receivers get one mail; they see each other, as people of one incident do.
func (m *Mailer) Send(ctx context.Context, to []string, subject, text string) error {
	msg, err := m.message(to, subject, text)
	if err != nil {
		return keys.Permanent(err)
	}
	client, err := gomail.NewClient(m.o.Host, m.options()...)
	if err != nil {
		return keys.Permanent(errors.New("the mail settings are not usable: check host, port and tls"))
	}
	ctx, cancel := context.WithTimeout(ctx, m.o.Timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return m.fault(err)
	}
	return nil
}

func (m *Mailer) options() []gomail.Option {
	out := []gomail.Option{gomail.WithPort(m.o.Port), gomail.WithTimeout(m.o.Timeout)}
	if m.o.TLS != TLSImplicit { // there, whoever talks has proven its name first
		out = append(out, gomail.WithDialContextFunc(dial))
	}
	switch m.o.TLS {
	case TLSImplicit:
		out = append(out, gomail.WithSSL())
	case TLSStart:
		out = append(out, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		out = append(out, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if m.o.Config != nil {
		c := m.o.Config.Clone()
		if c.ServerName == "" {
			c.ServerName = m.o.Host
		}
		out = append(out, gomail.WithTLSConfig(c))
	}
	if m.o.User != "" {
		out = append(out, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(m.o.User), gomail.WithPassword(m.o.Password))
	}
	return out
}

// mostTalk is more than a server says about one mail; lines without an end are cut there.
const mostTalk = 1 << 20

// dial bounds what is read of a server: the library below reads a line however long it gets.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &bounded{Conn: c, left: mostTalk}, nil
}

type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the server talks on and on")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (m *Mailer) message(to []string, subject, text string) (*gomail.Msg, error) {
	if len(to) == 0 {
		return nil, errors.New("the mail has no receiver")
	}
	if subject == "" || strings.IndexFunc(subject, unicode.IsControl) >= 0 {
		return nil, errors.New("the subject of the mail is empty or has control characters, which could forge headers")
	}
	msg := gomail.NewMsg()
	if err := msg.From(m.o.From); err != nil {
		return nil, errors.New("the mail sender is not an address")
	}
	for _, one := range to {
		clean, err := address(one)
		if err != nil {
			return nil, err
		}
		if err := msg.AddTo(clean); err != nil {
			return nil, fmt.Errorf("%q is not a mail address", clean)
		}
	}
	msg.Subject(subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // keeps holiday answers away
	msg.SetBodyString(gomail.TypeTextPlain, text)
	return msg, nil
}

// address takes one bare address: no display name, no list, nothing that could forge a header.
func address(s string) (string, error) {
	a, err := netmail.ParseAddress(s)
	if err != nil || a.Address != s || strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return "", fmt.Errorf("%q is not one bare mail address, as anna@example.org", s)
	}
	return s, nil
}

// fault keeps the server's code and leaves out its words, which may repeat what was sent.
func (m *Mailer) fault(err error) error {
	var send *gomail.SendError
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("send mail: %w", context.Canceled)
	case errors.As(err, &send):
		out := fmt.Errorf("send mail: %s answered %d", m.o.Host, send.ErrorCode())
		if send.ErrorCode() >= 500 && !send.IsTemp() {
			return keys.Permanent(out)
		}
		return out
	case strings.Contains(strings.ToLower(err.Error()), "starttls"):
		return keys.Permanent(fmt.Errorf("send mail: %s offers no STARTTLS, and mail is not sent in the clear", m.o.Host))
	}
	return fmt.Errorf("send mail: %s cannot be reached, or does not let us in, on port %d", m.o.Host, m.o.Port)
}
