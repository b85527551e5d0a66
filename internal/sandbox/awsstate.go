package sandbox

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// The AWS account of this world, and its responder: a user of its own, as AWS asks of responders.
const (
	AWSAccountID    = "123456789012"
	awsResponder    = "tourniquet"
	awsBedrockUsers = "bedrock.amazonaws.com"
	upperAlphabet   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// awsState is one account.
type awsState struct {
	users      []*awsUser
	roles      []*awsRole
	keys       map[string]*awsKey // by access key id, temporary ones included
	logging    map[string]bool    // Region -> whether invocations are logged
	trail      []awsEvent
	asked      map[string][]time.Time // Region -> when CloudTrail was asked
	charges    []awsCharge
	responder  *awsKey
	responders map[string]bool // "service:Action" that the responder may do; nil means all
}

// lagged is a value that changes at once for whoever reads it and a little later for whoever is judged by it.
type lagged[T any] struct {
	now, before T
	at          time.Time
}

func (l *lagged[T]) set(v T, at time.Time, delay time.Duration) {
	l.before, l.now, l.at = l.felt(at, delay), v, at
}

func (l *lagged[T]) felt(at time.Time, delay time.Duration) T {
	if at.Before(l.at.Add(delay)) {
		return l.before
	}
	return l.now
}

// awsIdentity is what users and roles have in common.
type awsIdentity struct {
	name     string
	created  time.Time
	allowed  []string                  // actions, as "bedrock:*"
	inline   lagged[map[string]string] // policy name -> document
	attached []string                  // names of managed policies
}

type awsUser struct {
	awsIdentity
	password bool
	tags     map[string]string
	keys     []*awsKey // access keys
	api      []*awsKey // long-term Bedrock API keys
}

type awsRole struct{ awsIdentity }

// Kinds of AWS credential.
const (
	awsAccessKey = "access_key"
	awsAPIKey    = "api_key"
	awsSession   = "session"
)

// awsKey is a credential of any kind.
type awsKey struct {
	*Key
	kind     string
	user     *awsUser
	role     *awsRole // of a session
	secret   string   // to sign with
	token    string   // of a session
	alias    string   // of an API key
	status   lagged[string]
	issued   time.Time // of a session
	deleted  lagged[bool]
	lastUsed time.Time
	lastAt   [2]string // service and Region of the last use
}

type awsCharge struct {
	at  time.Time
	usd float64
}

func newAWSState() *awsState {
	return &awsState{keys: map[string]*awsKey{}, logging: map[string]bool{}, asked: map[string][]time.Time{}}
}

func (w *World) awsDelay() time.Duration { return max(w.opt.AWSDelay, 0) }

func (k *awsKey) identity() *awsIdentity {
	if k.role != nil {
		return &k.role.awsIdentity
	}
	return &k.user.awsIdentity
}

func (k *awsKey) arn() string {
	if k.role != nil {
		return "arn:aws:sts::" + AWSAccountID + ":assumed-role/" + k.role.name + "/app"
	}
	return "arn:aws:iam::" + AWSAccountID + ":user/" + k.user.name
}

// alive reports whether the credential is taken now, by what has spread so far.
func (w *World) awsAlive(k *awsKey) bool {
	now, delay := w.Now(), w.awsDelay()
	return !k.deleted.felt(now, delay) && k.status.felt(now, delay) == "Active"
}

// AWSResponder is the credential that the product is given: id and secret. It is made on first use.
func (w *World) AWSResponder() (id, secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.aws.responder == nil {
		u := w.addAWSUserLocked(awsResponder)
		w.aws.responder = w.addAccessKeyLocked(u)
	}
	return w.aws.responder.ID, w.aws.responder.secret
}

// LimitAWSResponder lets the responder do these actions alone, as "iam:UpdateAccessKey".
func (w *World) LimitAWSResponder(actions []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.aws.responders = map[string]bool{}
	for _, a := range actions {
		w.aws.responders[a] = true
	}
}

func (w *World) addAWSUserLocked(name string, allowed ...string) *awsUser {
	u := &awsUser{awsIdentity: awsIdentity{name: name, created: w.Now(), allowed: allowed}, tags: map[string]string{}}
	w.aws.users = append(w.aws.users, u)
	return u
}

func (w *World) awsUserLocked(name string) *awsUser {
	for _, u := range w.aws.users {
		if u.name == name {
			return u
		}
	}
	return nil
}

func (w *World) awsRoleLocked(name string) *awsRole {
	for _, r := range w.aws.roles {
		if r.name == name {
			return r
		}
	}
	return nil
}

func (w *World) newAWSKeyLocked(kind, id string, u *awsUser, value string) *awsKey {
	k := &awsKey{kind: kind, user: u, Key: &Key{Provider: "bedrock", Project: AWSAccountID, ID: id, secret: value, createdAt: w.Now()}}
	if u != nil {
		k.Name = u.name
	}
	k.status = lagged[string]{now: "Active", before: "Active"}
	w.aws.keys[id], w.values[value] = k, k.Key
	return k
}

// addAccessKeyLocked makes an access key; its value is how "aws iam create-access-key" output is commonly kept.
func (w *World) addAccessKeyLocked(u *awsUser) *awsKey {
	id, secret := "AKIA"+randomText(upperAlphabet, 16), randomText(fullAlphabet, 40)
	k := w.newAWSKeyLocked(awsAccessKey, id, u, fmt.Sprintf(`{"AccessKeyId":%q,"SecretAccessKey":%q}`, id, secret))
	k.secret, k.Key.UID = secret, "user/"+u.name
	u.keys = append(u.keys, k)
	return k
}

// addAPIKeyLocked makes a long-term Bedrock API key; the second one of a user has a number in its alias.
func (w *World) addAPIKeyLocked(u *awsUser) *awsKey {
	alias := u.name + "-at-" + AWSAccountID
	if len(u.api) > 0 {
		alias = fmt.Sprintf("%s+%d-at-%s", u.name, len(u.api), AWSAccountID)
	}
	value := "ABSK" + base64.StdEncoding.EncodeToString([]byte(alias+":"+randomText(fullAlphabet, 40)))
	k := w.newAWSKeyLocked(awsAPIKey, "ACCA"+randomText(upperAlphabet, 16), u, value)
	k.alias, k.Key.UID = alias, "user/"+u.name
	u.api = append(u.api, k)
	return k
}

// NewAWSAccessKey makes an IAM user that may call models and nothing else, with an access key.
func (w *World) NewAWSAccessKey(user string) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *w.addAccessKeyLocked(w.awsUserOrNew(user)).Key
}

// NewAWSAPIKey makes what the Bedrock console makes: a user of its own and a long-term API key.
func (w *World) NewAWSAPIKey(user string) Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *w.addAPIKeyLocked(w.awsUserOrNew(user)).Key
}

func (w *World) awsUserOrNew(name string) *awsUser {
	if u := w.awsUserLocked(name); u != nil {
		return u
	}
	u := w.addAWSUserLocked(name, "bedrock:*", "ce:*")
	if strings.HasPrefix(name, "BedrockAPIKey-") {
		u.attached = []string{"AmazonBedrockLimitedAccess"}
	}
	return u
}

// NewAWSSession makes temporary credentials of a role, issued now, and a short-term Bedrock API key signed with them.
func (w *World) NewAWSSession(role string) (session Key, shortTerm string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.awsRoleLocked(role)
	if r == nil {
		r = &awsRole{awsIdentity{name: role, created: w.Now(), allowed: []string{"bedrock:*"}}}
		w.aws.roles = append(w.aws.roles, r)
	}
	id, secret, token := "ASIA"+randomText(upperAlphabet, 16), randomText(fullAlphabet, 40), randomText(fullAlphabet, 200)
	k := w.newAWSKeyLocked(awsSession, id, nil, fmt.Sprintf(`{"AccessKeyId":%q,"SecretAccessKey":%q,"SessionToken":%q}`, id, secret, token))
	k.role, k.secret, k.token, k.issued, k.Key.UID = r, secret, token, w.Now(), "role/"+role
	at := w.Now().UTC()
	query := "Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + id + "%2F" + at.Format("20060102") +
		"%2Fus-east-1%2Fbedrock%2Faws4_request&X-Amz-Date=" + at.Format("20060102T150405Z") + "&X-Amz-Expires=43200&X-Amz-Security-Token=" + token +
		"&X-Amz-SignedHeaders=host&X-Amz-Signature=" + randomText("0123456789abcdef", 64) + "&Version=1"
	shortTerm = "bedrock-api-key-" + base64.StdEncoding.EncodeToString([]byte("bedrock.amazonaws.com/?"+query))
	w.values[shortTerm] = k.Key
	return *k.Key, shortTerm
}
