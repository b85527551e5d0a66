package bedrock

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Kinds of credential, told by the first letters of their ids.
const (
	kindAccessKey = "access_key"
	kindAPIKey    = "api_key"
	kindSession   = "session"

	prefixAccessKey = "AKIA"
	prefixAPIKey    = "ACCA"
	prefixSession   = "ASIA"
)

func kindOf(id string) string {
	switch {
	case strings.HasPrefix(id, prefixAPIKey):
		return kindAPIKey
	case strings.HasPrefix(id, prefixSession):
		return kindSession
	}
	return kindAccessKey
}

// value is what a stolen value says about itself, without asking anybody.
type value struct {
	id      string // AKIA… or ASIA…
	alias   string // of a long-term API key: USER-at-ACCOUNT
	user    string
	account string
	region  string // that a short-term key is good for
	expires time.Time

	secret, token string // to sign with
	bearer        string // to send as it is
}

// maxValue bounds what is looked at; short-term keys carry a session token and are long.
const maxValue = 16 << 10

var (
	accessKeyID = regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`)
	secretShape = regexp.MustCompile(`(^|[^A-Za-z0-9/+])([A-Za-z0-9/+]{40})($|[^A-Za-z0-9/+=])`)
	aliasShape  = regexp.MustCompile(`^([A-Za-z0-9_+=,.@-]{1,64}?)(\+[0-9]+)?-at-([0-9]{12})$`)
)

// parse reads a stolen value: an API key, or an access key in any of the forms in which people keep them.
func parse(secret []byte) value {
	text := strings.TrimSpace(string(secret))
	if text == "" || len(text) > maxValue {
		return value{}
	}
	if rest, is := strings.CutPrefix(text, "ABSK"); is {
		return longTerm(text, rest)
	}
	if rest, is := strings.CutPrefix(text, "bedrock-api-key-"); is {
		return shortTerm(text, rest)
	}
	v := value{id: accessKeyID.FindString(text)}
	var stored struct{ AccessKeyID, SecretAccessKey, SessionToken string } // as "aws sts" and "aws iam" print them
	if json.Unmarshal([]byte(text), &stored) == nil && stored.SecretAccessKey != "" {
		v.secret, v.token = stored.SecretAccessKey, stored.SessionToken
		return v
	}
	if m := secretShape.FindStringSubmatch(strings.Replace(text, v.id, " ", 1)); m != nil && v.id != "" {
		v.secret = m[2]
	}
	return v
}

// longTerm is ABSK and the base64 of USER-at-ACCOUNT:SECRET.
func longTerm(text, rest string) value {
	plain, ok := decode(rest)
	alias, _, found := strings.Cut(plain, ":")
	if !ok || !found {
		return value{}
	}
	v := aliased(alias)
	v.bearer = text
	return v
}

// aliased reads the public half of a long-term key.
func aliased(alias string) value {
	m := aliasShape.FindStringSubmatch(alias)
	if m == nil {
		return value{}
	}
	return value{alias: alias, user: m[1], account: m[3]}
}

// shortTerm is a presigned address: who signed it, where it is good and until when stand in it.
func shortTerm(text, rest string) value {
	plain, ok := decode(rest)
	_, query, found := strings.Cut(plain, "?")
	if !ok || !found {
		return value{}
	}
	args, err := url.ParseQuery(query)
	if err != nil {
		return value{}
	}
	scope := strings.Split(args.Get("X-Amz-Credential"), "/")
	if len(scope) != 5 || !accessKeyID.MatchString(scope[0]) {
		return value{}
	}
	v := value{id: scope[0], region: scope[2], bearer: text}
	if at, err := time.Parse("20060102T150405Z", args.Get("X-Amz-Date")); err == nil {
		seconds, _ := strconv.Atoi(args.Get("X-Amz-Expires")) // without a number it ends where it began
		v.expires = at.Add(time.Duration(seconds) * time.Second)
	}
	return v
}

// decode takes base64 in every spelling that is met.
func decode(s string) (string, bool) {
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if plain, err := enc.DecodeString(s); err == nil {
			return string(plain), true
		}
	}
	return "", false
}

// hintOf keeps the first and last characters.
func hintOf(s string) string {
	if len(s) < 16 {
		return "…"
	}
	return s[:4] + "…" + s[len(s)-4:]
}
