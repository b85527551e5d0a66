package sandbox

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// awsCaller is who signed a request, or showed a bearer token.
type awsCaller struct {
	*awsKey
	service, region string
	bearer          string // LONG_TERM or SHORT_TERM; empty for a signature
}

// awsRefusal is an error before it is worded as its service words errors.
type awsRefusal struct {
	status        int
	code, message string
}

var awsAuthorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Z0-9]{20})/([0-9]{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`)

// awsScope is the service and Region that a request says it is for, before anybody believes it.
func awsScope(r *http.Request) (service, region string) {
	if m := awsAuthorization.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		return m[4], m[3]
	}
	return "bedrock", "us-east-1" // bearer tokens are for Bedrock alone
}

// awsAuthenticate checks signature or token, and whether the credential is taken. The entry of the log names the key
// even when it is refused.
func (w *World) awsAuthenticate(c *call) (awsCaller, *awsRefusal) {
	if token, is := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer "); is {
		return w.awsBearer(c, token)
	}
	m := awsAuthorization.FindStringSubmatch(c.r.Header.Get("Authorization"))
	if m == nil {
		return awsCaller{}, &awsRefusal{http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	}
	k := w.aws.keys[m[1]]
	if k != nil {
		c.entry.Key = k.ID
	}
	invalid := &awsRefusal{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	if k == nil || k.kind == awsAPIKey || subtle.ConstantTimeCompare([]byte(k.token), []byte(c.r.Header.Get("X-Amz-Security-Token"))) == 0 {
		return awsCaller{}, invalid
	}
	if refused := w.awsSigned(c, k, m); refused != nil {
		return awsCaller{}, refused
	}
	if !w.awsAlive(k) {
		return awsCaller{}, invalid
	}
	if k == w.aws.responder && c.entry.Actor == ActorUnknown {
		c.entry.Actor, c.entry.Key = ActorResponder, ""
	}
	k.lastUsed, k.lastAt = w.Now(), [2]string{m[4], m[3]}
	return awsCaller{awsKey: k, service: m[4], region: m[3]}, nil
}

// awsSigned signs the request once more with the secret that we know, and compares.
func (w *World) awsSigned(c *call, k *awsKey, m []string) *awsRefusal {
	wrong := &awsRefusal{http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."}
	at, err := time.Parse("20060102T150405Z", c.r.Header.Get("X-Amz-Date"))
	if err != nil || at.Format("20060102") != m[2] || at.Sub(w.Now()).Abs() > 15*time.Minute {
		return wrong
	}
	again := &http.Request{Method: c.r.Method, URL: c.r.URL, Host: c.r.Host, Header: http.Header{}}
	names := strings.Split(m[5], ";")
	if !slices.Contains(names, "host") {
		return wrong
	}
	for _, name := range names {
		if name == "content-length" {
			again.ContentLength = c.r.ContentLength
		} else if name != "host" {
			again.Header[http.CanonicalHeaderKey(name)] = c.r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(c.body)
	creds := aws.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.secret, SessionToken: k.token}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, again, hex.EncodeToString(sum[:]), m[4], m[3], at); err != nil {
		return wrong
	}
	if subtle.ConstantTimeCompare([]byte(again.Header.Get("Authorization")), []byte(c.r.Header.Get("Authorization"))) == 0 {
		return wrong
	}
	return nil
}

func (w *World) awsBearer(c *call, token string) (awsCaller, *awsRefusal) {
	failed := &awsRefusal{http.StatusForbidden, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid."}
	known := w.values[token]
	if known == nil || known.Provider != "bedrock" {
		return awsCaller{}, failed
	}
	k, kind := w.aws.keys[known.ID], "LONG_TERM"
	c.entry.Key = k.ID
	if k.kind == awsSession {
		kind = "SHORT_TERM"
	}
	if !strings.HasPrefix(token, "ABSK") && kind == "LONG_TERM" || !w.awsAlive(k) {
		return awsCaller{}, failed
	}
	_, region := awsScope(c.r)
	who := awsCaller{awsKey: k, service: "bedrock", region: region, bearer: kind}
	if refused := w.awsMay(who, "bedrock:CallWithBearerToken"); refused != nil {
		return awsCaller{}, refused
	}
	k.lastUsed = w.Now()
	return who, nil
}
