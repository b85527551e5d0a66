package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// AWSSecrets is a pretended AWS Secrets Manager (JSON 1.1). It checks signatures as AWS does. Its state is guarded by the
// world's lock.
type AWSSecrets struct {
	w       *World
	creds   aws.Credentials
	secrets map[string]*awsSecret // by region/name
}

type awsSecret struct {
	versions map[string]string   // value by version id
	stages   map[string][]string // by version id
	changed  time.Time
	deleted  bool
}

// AWSSecrets makes a Secrets Manager of this world. Every call makes another one: keep it.
func (w *World) AWSSecrets() *AWSSecrets {
	return &AWSSecrets{w: w, secrets: map[string]*awsSecret{}, creds: aws.Credentials{
		AccessKeyID: "AKIASANDBOX" + randomText("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", 9), SecretAccessKey: randomText(fullAlphabet, 40),
	}}
}

// Credentials are what the service takes.
func (a *AWSSecrets) Credentials() (id, secret string) {
	return a.creds.AccessKeyID, a.creds.SecretAccessKey
}

// SetSecret writes a version, as somebody else would.
func (a *AWSSecrets) SetSecret(region, name, value string) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	s := a.secrets[region+"/"+name]
	if s == nil {
		s = &awsSecret{versions: map[string]string{}, stages: map[string][]string{}}
		a.secrets[region+"/"+name] = s
	}
	id := randomUUID()
	s.versions[id], s.changed = value, a.w.Now()
	s.current(id)
}

// Secret is the value of AWSCURRENT and how many versions there are: the world's judgement.
func (a *AWSSecrets) Secret(region, name string) (value string, versions int) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	s := a.secrets[region+"/"+name]
	return s.versions[s.with("AWSCURRENT")], len(s.versions)
}

// Delete schedules a secret for deletion.
func (a *AWSSecrets) Delete(region, name string) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.secrets[region+"/"+name].deleted = true
}

func (s *awsSecret) with(stage string) string {
	for id, stages := range s.stages {
		if slices.Contains(stages, stage) {
			return id
		}
	}
	return ""
}

// current moves AWSCURRENT; the version that had it becomes AWSPREVIOUS, and what has no stage is forgotten.
func (s *awsSecret) current(id string) {
	before := s.with("AWSCURRENT")
	if before == id {
		return
	}
	for other := range s.stages {
		s.stages[other] = slices.DeleteFunc(s.stages[other], func(st string) bool { return st == "AWSPREVIOUS" || st == "AWSCURRENT" })
	}
	if before != "" {
		s.stages[before] = append(s.stages[before], "AWSPREVIOUS")
	}
	s.stages[id] = append(s.stages[id], "AWSCURRENT")
	for other, stages := range s.stages {
		if len(stages) == 0 {
			delete(s.stages, other)
			delete(s.versions, other)
		}
	}
}

// ServeHTTP implements http.Handler.
func (a *AWSSecrets) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	refuse := func(status int) reply {
		return awsError(status, map[int]string{429: "ThrottlingException", 503: "ServiceUnavailable", 403: "AccessDeniedException"}[status])
	}
	a.w.serve("secretsmanager", refuse, func(c *call) reply {
		region, err := signedBy(c, a.creds, "secretsmanager")
		if err != nil {
			return awsError(http.StatusBadRequest, err.Error())
		}
		_, operation, _ := strings.Cut(c.r.Header.Get("X-Amz-Target"), ".")
		c.entry.Path, c.entry.Actor, c.entry.Effect = "/"+region+"/"+operation, ActorResponder, EffectObserve
		return a.operate(c, region, operation)
	}).ServeHTTP(rw, r)
}

func awsError(status int, name string) reply {
	if name == "" {
		name = "InternalServiceError"
	}
	return reply{status: status, body: map[string]string{"__type": name, "Message": "the sandbox refuses: " + name}, header: http.Header{"X-Amzn-Errortype": {name}}}
}

// signedBy checks a signature of version 4 by making it again, and gives the region that it was made for.
func signedBy(c *call, creds aws.Credentials, service string) (string, error) {
	auth := c.r.Header.Get("Authorization")
	scope, signed := between(auth, "Credential=", ","), between(auth, "SignedHeaders=", ",")
	part := strings.Split(scope, "/")
	at, err := time.Parse("20060102T150405Z", c.r.Header.Get("X-Amz-Date"))
	if len(part) != 5 || part[3] != service || part[0] != creds.AccessKeyID || err != nil {
		return "", errors.New("UnrecognizedClientException")
	}
	again, err := http.NewRequestWithContext(c.r.Context(), c.r.Method, "http://"+c.r.Host+c.r.URL.RequestURI(), strings.NewReader(string(c.body)))
	if err != nil {
		return "", err
	}
	for _, name := range strings.Split(signed, ";") {
		if name != "host" && name != "content-length" {
			again.Header[http.CanonicalHeaderKey(name)] = c.r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(c.body)
	if err := v4.NewSigner().SignHTTP(c.r.Context(), creds, again, hex.EncodeToString(sum[:]), service, part[2], at); err != nil {
		return "", err
	}
	if between(again.Header.Get("Authorization"), "Signature=", ",") != between(auth, "Signature=", ",") {
		return "", errors.New("InvalidSignatureException")
	}
	return part[2], nil
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

type awsInput struct {
	SecretID string   `json:"SecretId"`
	Token    string   `json:"ClientRequestToken"`
	Value    *string  `json:"SecretString"`
	Stages   []string `json:"VersionStages"`
	Stage    string   `json:"VersionStage"`
	To       string   `json:"MoveToVersionId"`
	From     string   `json:"RemoveFromVersionId"`
}

func (a *AWSSecrets) operate(c *call, region, operation string) reply {
	var in awsInput
	if json.Unmarshal(c.body, &in) != nil {
		return awsError(http.StatusBadRequest, "SerializationException")
	}
	if operation == "ListSecrets" {
		return ok(map[string]any{"SecretList": []any{}})
	}
	s := a.secrets[region+"/"+in.SecretID]
	if s == nil {
		return awsError(http.StatusBadRequest, "ResourceNotFoundException")
	}
	out := map[string]any{"ARN": "arn:aws:secretsmanager:" + region + ":123456789012:secret:" + in.SecretID, "Name": in.SecretID}
	switch operation {
	case "DescribeSecret":
		out["VersionIdsToStages"], out["LastChangedDate"] = s.stages, float64(s.changed.UnixMilli())/1000
		if s.deleted {
			out["DeletedDate"] = float64(s.changed.Unix())
		}
		return ok(out)
	case "GetSecretValue":
		id := s.with("AWSCURRENT")
		if s.deleted {
			return awsError(http.StatusBadRequest, "InvalidRequestException")
		}
		if id == "" {
			return awsError(http.StatusBadRequest, "ResourceNotFoundException")
		}
		out["VersionId"], out["SecretString"], out["VersionStages"] = id, s.versions[id], s.stages[id]
		return ok(out)
	case "PutSecretValue":
		return a.put(c, s, in, out)
	case "UpdateSecretVersionStage":
		return a.move(c, s, in, out)
	}
	return awsError(http.StatusBadRequest, "UnknownOperationException")
}

func (a *AWSSecrets) put(c *call, s *awsSecret, in awsInput, out map[string]any) reply {
	if len(in.Token) < 32 || len(in.Token) > 64 || in.Value == nil || len(*in.Value) == 0 || len(*in.Value) > 64<<10 {
		return awsError(http.StatusBadRequest, "InvalidParameterException")
	}
	if s.deleted {
		return awsError(http.StatusBadRequest, "InvalidRequestException")
	}
	c.entry.Effect = EffectUndoable
	if known, again := s.versions[in.Token]; again && known != *in.Value {
		return awsError(http.StatusBadRequest, "ResourceExistsException")
	} else if !again {
		s.versions[in.Token], s.changed = *in.Value, a.w.Now()
		s.current(in.Token)
	}
	if k := a.w.holderOf(*in.Value); k != nil {
		c.entry.Key = k.ID
	}
	out["VersionId"], out["VersionStages"] = in.Token, s.stages[in.Token]
	return ok(out)
}

func (a *AWSSecrets) move(c *call, s *awsSecret, in awsInput, out map[string]any) reply {
	if _, there := s.versions[in.To]; !there || in.Stage != "AWSCURRENT" || in.From != s.with("AWSCURRENT") {
		return awsError(http.StatusBadRequest, "InvalidParameterException")
	}
	c.entry.Effect = EffectUndoable
	s.changed = a.w.Now()
	s.current(in.To)
	return ok(out)
}
