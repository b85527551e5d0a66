package bedrock

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	exampleID     = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" // AWS's own example, which opens nothing
)

func TestAccessKeysAreReadInEveryFormInWhichPeopleKeepThem(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"pair":             exampleID + ":" + exampleSecret,
		"environment":      "export AWS_ACCESS_KEY_ID=" + exampleID + "\nexport AWS_SECRET_ACCESS_KEY=" + exampleSecret + "\n",
		"credentials file": "[default]\naws_access_key_id = " + exampleID + "\naws_secret_access_key = " + exampleSecret,
		"csv":              "Access key ID,Secret access key\n" + exampleID + "," + exampleSecret,
		"json":             `{"AccessKeyId":"` + exampleID + `","SecretAccessKey":"` + exampleSecret + `"}`,
		"sts json":         `{"Version":1,"AccessKeyId":"` + exampleID + `","SecretAccessKey":"` + exampleSecret + `","SessionToken":""}`,
	} {
		if v := parse([]byte(text)); v.id != exampleID || v.secret != exampleSecret {
			t.Errorf("%s: id %q, secret known %v", name, v.id, v.secret != "")
		}
	}
	if v := parse([]byte(exampleID)); v.id != exampleID || v.secret != "" {
		t.Errorf("the id alone is read as %q, secret known %v", v.id, v.secret != "")
	}
}

func TestALongTermKeySaysWhoseItIs(t *testing.T) {
	t.Parallel()
	for alias, user := range map[string]string{
		"BedrockAPIKey-8f2a-at-123456789012": "BedrockAPIKey-8f2a", "shop+1-at-123456789012": "shop", "a-at-b-at-123456789012": "a-at-b",
	} {
		v := parse([]byte("ABSK" + base64.StdEncoding.EncodeToString([]byte(alias+":anything:with:colons")) + "\n"))
		if v.user != user || v.account != "123456789012" || v.alias != alias || v.bearer == "" {
			t.Errorf("%s is read as user %q, account %q, alias %q", alias, v.user, v.account, v.alias)
		}
	}
	for _, bad := range []string{"ABSK", "ABSK####", "ABSK" + base64.StdEncoding.EncodeToString([]byte("no colon")), "ABSK" + strings.Repeat("A", maxValue)} {
		if v := parse([]byte(bad)); v.user != "" || v.account != "" {
			t.Errorf("%.20q is read as user %q", bad, v.user)
		}
	}
}

func TestAShortTermKeySaysWhoSignedItWhereAndUntilWhen(t *testing.T) {
	t.Parallel()
	query := "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Credential=ASIAIOSFODNN7EXAMPLE%2F20260304%2Feu-west-1%2Fbedrock%2Faws4_request&X-Amz-Date=20260304T031200Z&X-Amz-Expires=43200"
	v := parse([]byte("bedrock-api-key-" + base64.StdEncoding.EncodeToString([]byte(query))))
	if v.id != "ASIAIOSFODNN7EXAMPLE" || v.region != "eu-west-1" || !v.expires.Equal(time.Date(2026, 3, 4, 15, 12, 0, 0, time.UTC)) {
		t.Fatalf("read as id %q, region %q, until %v", v.id, v.region, v.expires)
	}
}

func TestHostileValuesAreReadWithoutHarm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "ABSK", "bedrock-api-key-", "{", exampleID}).Draw(t, "prefix")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		v := parse(append([]byte(prefix), body...))
		w := parse([]byte(prefix + base64.StdEncoding.EncodeToString(body)))
		for _, id := range []string{v.id, w.id} {
			if id != "" && !accessKeyID.MatchString(id) {
				t.Fatalf("%q is taken for an id", id)
			}
		}
	})
}

func TestSecretsAreCutOutOfErrors(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{exampleSecret, "ABSK" + strings.Repeat("Qm9", 20), "bedrock-api-key-" + strings.Repeat("YW1", 20)} {
		got := scrubbed{&text{"AWS says: " + secret + " is wrong"}}.Error()
		if strings.Contains(got, secret[8:20]) {
			t.Errorf("the secret is in %q", got)
		}
	}
}

type text struct{ s string }

func (t *text) Error() string { return t.s }
