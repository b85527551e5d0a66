package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/outbound"
)

// Kind of dependent that this store serves.
const Kind = "aws_secret"

const (
	stageCurrent = "AWSCURRENT"
	maxValue     = 64 << 10 // bytes, AWS's limit
)

// Options configure the store.
type Options struct {
	Credentials aws.CredentialsProvider
	Endpoint    string // in place of AWS's own, for private endpoints
	Timeout     time.Duration
	Transport   http.RoundTripper
}

// Store writes secrets of Secrets Manager.
type Store struct{ o Options }

var _ secretstores.Store = (*Store)(nil)

// New checks the options and makes a store; it makes no call.
func New(o Options) (*Store, error) {
	if o.Credentials == nil {
		return nil, errors.New("no AWS credentials were found: name them in secret_stores.aws or in the environment")
	}
	if o.Endpoint != "" {
		if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || u.User != nil {
			return nil, errors.New("the AWS endpoint must look like https://secretsmanager.eu-central-1.amazonaws.com")
		}
	}
	return &Store{o: o}, nil
}

// Kinds implements secretstores.Store.
func (s *Store) Kinds() []string { return []string{Kind} }

// Undo implements secretstores.Store.
func (s *Store) Undo() string { return "AWSCURRENT is moved back to the version before" }

// Ready implements secretstores.Store: credentials are to be had. Every question to AWS would need a permission.
func (s *Store) Ready(ctx context.Context) error {
	if _, err := s.o.Credentials.Retrieve(ctx); err != nil {
		return keys.Permanent(errors.New("no AWS credentials are to be had: name them in secret_stores.aws or in the environment"))
	}
	return nil
}

// client makes one try: a retry is the caller's decision, and carries the same token.
func (s *Store) client(region string) *sm.Client {
	o := sm.Options{
		Region: region, Credentials: s.o.Credentials, Retryer: aws.NopRetryer{},
		HTTPClient: outbound.Client(outbound.Options{Timeout: s.o.Timeout, Transport: s.o.Transport}),
	}
	if s.o.Endpoint != "" {
		o.BaseEndpoint = aws.String(s.o.Endpoint)
	}
	return sm.New(o)
}

var (
	regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]+)+-\d+$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`)
)

type place struct {
	region, name, field string
	api                 *sm.Client
}

func (p place) String() string { return "AWS secret " + p.name + " in " + p.region }

func (s *Store) place(d incident.Dependent) (place, error) {
	p := place{region: d.Address["region"], name: d.Address["name"], field: d.Address["field"]}
	if err := secretstores.Need(d, "region", "name"); err != nil {
		return place{}, err
	}
	if !regionForm.MatchString(p.region) || !nameForm.MatchString(p.name) || len(p.name) > 2048 {
		return place{}, keys.Permanent(fmt.Errorf("dependent %q: %q in %q is not the name of an AWS secret and a region", d.ID, p.name, p.region))
	}
	p.api = s.client(p.region)
	return p, nil
}

// current is the id of the version that has AWSCURRENT, "" when there is none, and when it was made.
func (p place) current(ctx context.Context) (string, time.Time, error) {
	what := "describe " + p.String()
	got, err := p.api.DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: &p.name})
	if err != nil {
		return "", time.Time{}, fault(what, err)
	}
	if got.Name == nil {
		return "", time.Time{}, fmt.Errorf("%s: no usable answer from AWS", what)
	}
	if got.DeletedDate != nil {
		return "", time.Time{}, keys.Permanent(fmt.Errorf("%s: it is scheduled for deletion; restore it first", what))
	}
	for id, stages := range got.VersionIdsToStages {
		if slices.Contains(stages, stageCurrent) {
			return id, aws.ToTime(got.LastChangedDate), nil
		}
	}
	return "", aws.ToTime(got.LastChangedDate), nil
}

// State implements secretstores.Store.
func (s *Store) State(ctx context.Context, d incident.Dependent) (secretstores.State, error) {
	p, err := s.place(d)
	if err != nil {
		return secretstores.State{}, err
	}
	id, at, err := p.current(ctx)
	if err != nil {
		return secretstores.State{}, err
	}
	st := secretstores.State{Fields: map[string]string{"exists": fmt.Sprint(id != ""), "version": id}, ChangedAt: at}
	if id != "" {
		st.Undo, err = json.Marshal(secretstores.Version{Version: id})
	}
	return st, err
}

// Update implements secretstores.Store.
func (s *Store) Update(ctx context.Context, d incident.Dependent, c secretstores.Change) (string, error) {
	p, err := s.place(d)
	if err != nil {
		return "", err
	}
	if len(c.Value) == 0 || len(c.Value) > maxValue {
		return "", keys.Permanent(fmt.Errorf("update %s: the value has %d bytes; AWS takes 1 to %d", p, len(c.Value), maxValue))
	}
	id, _, err := p.current(ctx)
	if err != nil {
		return "", err
	}
	token := requestToken(c.Token)
	if id != c.Over["version"] && id != token {
		return "", secretstores.Moved(p.String())
	}
	text := string(c.Value)
	if p.field != "" {
		if text, err = p.withField(ctx, text); err != nil {
			return "", err
		}
	}
	what := "write " + p.String()
	got, err := p.api.PutSecretValue(ctx, &sm.PutSecretValueInput{
		SecretId: &p.name, SecretString: &text, ClientRequestToken: &token, VersionStages: []string{stageCurrent},
	})
	var exists *types.ResourceExistsException
	if errors.As(err, &exists) {
		return "", keys.Permanent(fmt.Errorf("%s: another value was written under the name of this call; look at its versions by hand", what))
	}
	if err != nil {
		return "", fault(what, err)
	}
	return "version:" + aws.ToString(got.VersionId), nil
}

// requestToken fits AWS's form: 32 to 64 characters.
func requestToken(token string) string {
	for len(token) < 32 {
		token += "-tourniquet"
	}
	return token[:min(len(token), 64)]
}

// value reads the secret as it is now; a version of bytes is none that an application reads as text.
func (p place) value(ctx context.Context) (text string, version string, err error) {
	what := "read " + p.String()
	got, err := p.api.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: &p.name})
	if err != nil {
		return "", "", fault(what, err)
	}
	if got.SecretString == nil {
		return "", "", keys.Permanent(fmt.Errorf("%s: it holds bytes and no text", what))
	}
	return *got.SecretString, aws.ToString(got.VersionId), nil
}

// withField sets one field of the JSON object that the secret holds; the others stay as they are.
func (p place) withField(ctx context.Context, value string) (string, error) {
	now, _, err := p.value(ctx)
	if err != nil {
		return "", err
	}
	fields := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(now), &fields) != nil || fields == nil {
		return "", keys.Permanent(fmt.Errorf("%s does not hold a JSON object, so it has no field %q", p, p.field))
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		return "", keys.Permanent(fmt.Errorf("%s: the value is not text", p))
	}
	fields[p.field] = quoted
	out, err := json.Marshal(fields)
	return string(out), err
}

// Restore implements secretstores.Store: a stage is moved, no value is read.
func (s *Store) Restore(ctx context.Context, d incident.Dependent, undo json.RawMessage, _ []byte, c secretstores.Change) (string, error) {
	p, err := s.place(d)
	if err != nil {
		return "", err
	}
	var before secretstores.Version
	if err := json.Unmarshal(undo, &before); err != nil || before.Version == "" {
		return "", keys.Permanent(fmt.Errorf("%s: the undo record names no version", p))
	}
	id, _, err := p.current(ctx)
	switch {
	case err != nil:
		return "", err
	case id == before.Version:
		return "version:" + id, nil
	case id != c.Over["version"]:
		return "", secretstores.Moved(p.String())
	}
	what := "move AWSCURRENT of " + p.String()
	_, err = p.api.UpdateSecretVersionStage(ctx, &sm.UpdateSecretVersionStageInput{
		SecretId: &p.name, VersionStage: aws.String(stageCurrent), MoveToVersionId: &before.Version, RemoveFromVersionId: &id,
	})
	return "version:" + before.Version, fault(what, err)
}

// Holds implements secretstores.Store.
func (s *Store) Holds(ctx context.Context, d incident.Dependent, value []byte) (secretstores.Health, error) {
	p, err := s.place(d)
	if err != nil {
		return secretstores.Health{}, err
	}
	text, version, err := p.value(ctx)
	if err != nil {
		return secretstores.Health{}, err
	}
	text, there := secretstores.Field(text, p.field)
	return secretstores.Seen("version "+version+" of "+p.String(), there, []byte(text), value), nil
}

// Value implements secretstores.Reader.
func (s *Store) Value(ctx context.Context, d incident.Dependent) ([]byte, error) {
	p, err := s.place(d)
	if err != nil {
		return nil, err
	}
	text, _, err := p.value(ctx)
	if err != nil {
		return nil, err
	}
	return secretstores.FieldOf(p.String(), text, p.field)
}

func fault(what string, err error) error {
	var answer *awshttp.ResponseError
	var named smithy.APIError
	if err == nil {
		return nil
	}
	status := 0 // no answer came, or one that cannot be read
	if errors.As(err, &answer) && answer.HTTPStatusCode() >= http.StatusMultipleChoices {
		status = answer.HTTPStatusCode()
	}
	switch {
	case status == 0:
		return secretstores.Unanswered(what, "AWS", err)
	case errors.As(err, &named):
		switch named.ErrorCode() {
		case "ThrottlingException", "TooManyRequestsException":
			status = http.StatusTooManyRequests // AWS says 400
		case "ResourceNotFoundException":
			status = http.StatusNotFound
		case "AccessDeniedException":
			status = http.StatusForbidden
		case "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "InvalidSignatureException":
			status = http.StatusUnauthorized
		}
	}
	return secretstores.Answered(what, "AWS", status, secretstores.Hint(status, "see docs/dependents.md for the policy"))
}
