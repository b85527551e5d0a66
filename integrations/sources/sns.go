package sources

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // Amazon's signature version 1 is made with it; only verified
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// snsEnvelope is what Amazon SNS posts: a message, or the question whether we want this topic.
type snsEnvelope struct {
	Type         string
	MessageID    string `json:"MessageId"`
	Token        string
	TopicArn     string
	Subject      *string
	Message      string
	Timestamp    string
	Version      string `json:"SignatureVersion"`
	Signature    string
	CertURL      string `json:"SigningCertURL"`
	SubscribeURL string
}

const (
	snsNotification = "Notification"
	snsSubscribe    = "SubscriptionConfirmation"
	snsUnsubscribe  = "UnsubscribeConfirmation"
)

// SNS retries for about an hour; a day leaves room for policies that retry longer. Repeats change nothing anyhow.
const snsOldest = 24 * time.Hour

var (
	snsHost = regexp.MustCompile(`^sns\.([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})\.amazonaws\.com(\.cn)?$`)
	snsCert = regexp.MustCompile(`^/SimpleNotificationService-[0-9a-zA-Z]{8,64}\.pem$`)
)

// signedText is what the signature covers: names and values, a line each, in the order that SNS gives.
func (e snsEnvelope) signedText() string {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", e.Message)
	add("MessageId", e.MessageID)
	if e.Type == snsNotification {
		if e.Subject != nil {
			add("Subject", *e.Subject)
		}
	} else {
		add("SubscribeURL", e.SubscribeURL)
	}
	add("Timestamp", e.Timestamp)
	if e.Type != snsNotification {
		add("Token", e.Token)
	}
	add("TopicArn", e.TopicArn)
	add("Type", e.Type)
	return b.String()
}

// confirmURL is where the subscription is confirmed, when that is Amazon's own address for exactly this topic.
func (e snsEnvelope) confirmURL() (string, bool) {
	u, err := url.Parse(e.SubscribeURL)
	if err != nil || !amazonsOwn(u) || u.Path != "/" && u.Path != "" {
		return "", false
	}
	part := strings.Split(e.TopicArn, ":")
	q := u.Query()
	good := len(part) == 6 && snsHost.FindStringSubmatch(u.Host)[1] == part[3] &&
		q.Get("Action") == "ConfirmSubscription" && q.Get("TopicArn") == e.TopicArn && q.Get("Token") == e.Token && e.Token != ""
	return e.SubscribeURL, good
}

func amazonsOwn(u *url.URL) bool {
	return u.Scheme == "https" && u.User == nil && snsHost.MatchString(u.Host)
}

type sns struct {
	topics []string
	certs  *Certificates
}

// SNS accepts messages that Amazon signed, for the given topics only: anybody can make a topic whose messages Amazon signs.
func SNS(certs *Certificates, topics ...string) (Auth, error) {
	if len(topics) == 0 {
		return nil, errors.New("a source of Amazon SNS needs the ARNs of its topics: Amazon signs for everybody's topics")
	}
	for _, t := range topics {
		if part := strings.Split(t, ":"); len(part) != 6 || part[0] != "arn" || part[2] != "sns" {
			return nil, fmt.Errorf("%q is no ARN of a topic, as arn:aws:sns:eu-central-1:123456789012:alerts", t)
		}
	}
	return sns{topics, certs}, nil
}

// Check implements Auth. What costs nothing is looked at first, so that a forger cannot make us fetch.
func (s sns) Check(ctx context.Context, r Request) error {
	var e snsEnvelope
	if decodeJSON(r.Body, &e, false) != nil || !slices.Contains(s.topics, e.TopicArn) {
		return ErrUnauthenticated
	}
	at, err := time.Parse(time.RFC3339Nano, e.Timestamp)
	if err != nil || r.At.Sub(at) > snsOldest || at.Sub(r.At) > maxSkew {
		return ErrUnauthenticated
	}
	given, err := base64.StdEncoding.DecodeString(e.Signature)
	u, err2 := url.Parse(e.CertURL)
	if err != nil || err2 != nil || !amazonsOwn(u) || !snsCert.MatchString(u.Path) || u.RawQuery != "" {
		return ErrUnauthenticated
	}
	hash := crypto.SHA256
	switch e.Version {
	case "1":
		hash = crypto.SHA1
	case "2":
	default:
		return ErrUnauthenticated
	}
	key, err := s.certs.Key(ctx, e.CertURL, r.At)
	if err != nil {
		return err
	}
	h := hash.New()
	_, _ = io.WriteString(h, e.signedText())
	if rsa.VerifyPKCS1v15(key, hash, h.Sum(nil), given) != nil {
		return ErrUnauthenticated
	}
	return nil
}

// Certificates fetches and remembers signing certificates. Its client must not be led to private addresses.
type Certificates struct {
	client *http.Client

	mu     sync.Mutex
	known  map[string]*x509.Certificate
	minute time.Time
	asked  int // fetches in this minute
}

// Bounds of what forgers can make us remember and fetch.
const (
	maxCerts   = 32
	maxFetches = 20 // a minute
	maxCert    = 64 << 10
)

// NewCertificates uses client for fetching.
func NewCertificates(client *http.Client) *Certificates {
	return &Certificates{client: client, known: map[string]*x509.Certificate{}}
}

// Key gives the public key behind an address that was checked by the caller.
func (c *Certificates) Key(ctx context.Context, address string, now time.Time) (*rsa.PublicKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cert := c.known[address]
	if cert == nil {
		if now.Sub(c.minute) >= time.Minute {
			c.minute, c.asked = now, 0
		}
		if c.asked++; c.asked > maxFetches {
			return nil, errors.New("too many signing certificates were asked for within a minute")
		}
		var err error
		if cert, err = c.fetch(ctx, address); err != nil {
			return nil, err
		}
		if len(c.known) >= maxCerts {
			clear(c.known)
		}
		c.known[address] = cert
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < 2048 || now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		delete(c.known, address)
		return nil, ErrUnauthenticated
	}
	return key, nil
}

func (c *Certificates) fetch(ctx context.Context, address string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, ErrUnauthenticated
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the signing certificate of Amazon SNS could not be fetched: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 500 {
		return nil, fmt.Errorf("the signing certificate of Amazon SNS was answered %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxCert))
	if err != nil {
		return nil, fmt.Errorf("the signing certificate of Amazon SNS broke off: %w", err)
	}
	block, _ := pem.Decode(body)
	if res.StatusCode != http.StatusOK || block == nil {
		return nil, ErrUnauthenticated
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, ErrUnauthenticated
	}
	return cert, nil
}
