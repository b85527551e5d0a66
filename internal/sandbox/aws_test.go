package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// awsAsk is one signed call; id and secret may be anybody's.
type awsAsk struct {
	id, secret, service, region, target, body string
	late                                      time.Duration
}

func (a awsAsk) send(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/", strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.target != "" {
		r.Header.Set("X-Amz-Target", a.target)
	}
	sum := sha256.Sum256([]byte(a.body))
	creds := aws.Credentials{AccessKeyID: a.id, SecretAccessKey: a.secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), a.service, a.region, time.Now().Add(-a.late)); err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestAWSRefusesWhatTheRealOneRefuses(t *testing.T) {
	t.Parallel()
	w := NewWorld(Options{AWSDelay: -1})
	server := httptest.NewServer(w.AWS())
	t.Cleanup(server.Close)
	id, secret := w.AWSResponder()
	w.NewAWSAccessKey("shop")
	w.NewAWSAccessKey("shop")
	iam := func(form string) awsAsk {
		return awsAsk{id: id, secret: secret, service: "iam", region: "us-east-1", body: "Version=2010-05-08&" + form}
	}
	wrong, late, nobody := iam("Action=ListUsers"), iam("Action=ListUsers"), iam("Action=ListUsers")
	wrong.secret, late.late, nobody.id = strings.Repeat("x", 40), time.Hour, "AKIAQQQQQQQQQQQQQQQQ"
	for name, it := range map[string]struct {
		ask    awsAsk
		status int
		word   string
	}{
		"a wrong secret":            {wrong, 403, "SignatureDoesNotMatch"},
		"a signature of before":     {late, 403, "SignatureDoesNotMatch"},
		"an unknown key":            {nobody, 403, "InvalidClientTokenId"},
		"a third access key":        {iam("Action=CreateAccessKey&UserName=shop"), 409, "LimitExceeded"},
		"a user that is not":        {iam("Action=ListAccessKeys&UserName=nobody"), 404, "NoSuchEntity"},
		"a key of somebody else":    {iam("Action=UpdateAccessKey&Status=Inactive&AccessKeyId=AKIAQQQQQQQQQQQQQQQQ&UserName=shop"), 404, "NoSuchEntity"},
		"a status that is none":     {iam("Action=UpdateAccessKey&Status=Off&UserName=tourniquet&AccessKeyId=" + id), 400, "ValidationError"},
		"a policy that is none":     {iam("Action=PutUserPolicy&UserName=shop&PolicyName=p&PolicyDocument=%7B%7D"), 400, "MalformedPolicyDocument"},
		"an unknown action":         {iam("Action=MakeCoffee&UserName=shop"), 400, "InvalidAction"},
		"another service's API key": {iam("Action=CreateServiceSpecificCredential&UserName=shop&ServiceName=codecommit.amazonaws.com"), 404, "NotSupportedService"},
	} {
		if status, body := it.ask.send(t, server.URL); status != it.status || !strings.Contains(body, "<Code>"+it.word+"</Code>") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := iam("Action=ListAccessKeys").send(t, server.URL); status != 200 || !strings.Contains(body, id) {
		t.Errorf("without a user the caller's own is meant: %d %s", status, body)
	}
	trail := awsAsk{id: id, secret: secret, service: "cloudtrail", region: "eu-west-1", target: "CloudTrail_20131101.LookupEvents", body: `{}`}
	last := 0
	for range 10 {
		last, _ = trail.send(t, server.URL)
	}
	if last != 400 {
		t.Errorf("ten questions to CloudTrail at once: the last was answered %d", last)
	}
	trail.region = "eu-west-2"
	if status, body := trail.send(t, server.URL); status != 200 {
		t.Errorf("another Region has a pace of its own: %d %s", status, body)
	}
}

func TestAPolicyIsFeltByTokensFromBeforeAlone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 3, 12, 0, 0, time.UTC)
	deny := awsStatement{Condition: map[string]map[string]string{"DateLessThan": {"aws:TokenIssueTime": at.Format(time.RFC3339)}}}
	for name, it := range map[string]struct {
		issued time.Time
		want   bool
	}{"a session from before": {at.Add(-time.Hour), true}, "a session from after": {at.Add(time.Second), false}, "a long-term key": {time.Time{}, false}} {
		if got := deny.holds(awsCaller{awsKey: &awsKey{issued: it.issued}}); got != it.want {
			t.Errorf("%s is denied: %v", name, got)
		}
	}
	for name, document := range map[string]string{
		"another version": `{"Version":"2008-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`, "no statement": `{"Version":"2012-10-17","Statement":[]}`,
		"a misspelt key": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Actions":"*","Resource":"*"}]}`, "no JSON": `deny all`,
	} {
		if _, err := awsPolicy(document); err == nil {
			t.Errorf("%s is taken for a policy", name)
		}
	}
}
