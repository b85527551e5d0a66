package seal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"pgregory.net/rapid"

	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func TestASealedSecretOpensOnlyInItsOwnBox(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	box := ring.Box()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := box.Seal(plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := box.Open(sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %q, %v", got, err)
		}
		sealed[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= 0x20
		if _, err := box.Open(sealed); err == nil {
			t.Fatal("a changed secret was opened")
		}
	})
	sealed, err := box.For("key-7/1").Seal([]byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]*seal.Box{"another row": box.For("key-8/1"), "no row": box, "another ring": newRing(t).Box()} {
		if _, err := other.Open(sealed); err == nil {
			t.Errorf("%s opened it", name)
		}
	}
	if got, err := box.For("key-7/1").Open(sealed); err != nil || string(got) != "value" {
		t.Errorf("its own row opened %q, %v", got, err)
	}
	for cut := range sealed {
		if _, err := box.For("key-7/1").Open(sealed[:cut]); err == nil {
			t.Errorf("the first %d bytes were accepted", cut)
		}
	}
}

func TestPurposesDoNotMix(t *testing.T) {
	t.Parallel()
	ring := newRing(t)
	sealed, err := ring.Box().Seal([]byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	id := sealed[2 : 2+sealed[1]]
	pasted := &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte(seal.Encoding), "tourniquet-key": id},
		Data:     sealed[2+sealed[1]:],
	}
	if _, err := ring.Codec().Decode([]*commonpb.Payload{pasted}); err == nil {
		t.Error("a sealed secret passed as a workflow payload")
	}
}

func TestTheKeyedHashIsEqualForEqualSecretsOfOneRingOnly(t *testing.T) {
	t.Parallel()
	box, other := newRing(t).Box(), newRing(t).Box()
	first, again := box.KeyedHash([]byte("a")), box.KeyedHash([]byte("a"))
	if len(first) != 64 || first != again {
		t.Error("the hash is not 32 bytes in hex, or not stable")
	}
	if box.KeyedHash([]byte("a")) == box.KeyedHash([]byte("b")) || box.KeyedHash([]byte("a")) == other.KeyedHash([]byte("a")) {
		t.Error("different secrets or rings give one hash")
	}
}

func randomText(tb testing.TB, size int) string {
	tb.Helper()
	b := make([]byte, size)
	if _, err := rand.Read(b); err != nil {
		tb.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func TestASecretCannotBePrintedByAnyone(t *testing.T) {
	t.Parallel()
	value := randomText(t, 24)
	secret := seal.NewSecret([]byte(value))
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "secret", secret, "inside", struct{ S seal.Secret }{secret})
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "secret", &secret)
	asJSON, err := json.Marshal(map[string]any{"s": secret, "p": &secret, "in": struct{ S seal.Secret }{secret}})
	if err != nil {
		t.Fatal(err)
	}
	asKey, err := secret.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(asJSON), string(asKey), secret.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t"} {
		texts = append(texts,
			fmt.Sprintf(verb, secret), fmt.Sprintf(verb, &secret),
			fmt.Sprintf(verb, struct{ hidden seal.Secret }{secret}), // fmt does not call methods of unexported fields
			fmt.Sprintf(verb, []seal.Secret{secret}), fmt.Sprintf(verb, map[string]any{"k": secret}))
	}
	for _, text := range texts {
		if seal.Redact(text, []byte(value)) != text {
			t.Errorf("the value shows in %q", text)
		}
	}
	if got := fmt.Sprintf("%s", secret); got != "[sealed]" {
		t.Errorf("it prints as %q", got)
	}
}

func TestAWipedSecretIsGoneInAllItsCopies(t *testing.T) {
	t.Parallel()
	value := []byte(randomText(t, 24))
	secret := seal.NewSecret(value)
	twin := secret
	revealed := secret.Reveal()
	if !bytes.Equal(revealed, value) || secret.Len() != len(value) {
		t.Fatal("Reveal does not give the value")
	}
	clear(revealed)
	if bytes.Equal(twin.Reveal(), revealed) {
		t.Error("clearing what Reveal gave changed the secret")
	}
	secret.Wipe()
	secret.Wipe()
	if twin.Reveal() != nil || !bytes.Equal(value, make([]byte, len(value))) {
		t.Error("the bytes are still there")
	}
	var zero seal.Secret
	zero.Wipe()
	if zero.Reveal() != nil || zero.String() != "[sealed]" {
		t.Error("the zero Secret is not empty")
	}
}

func TestRedactFindsEveryUsualSpelling(t *testing.T) {
	t.Parallel()
	secret := []byte("pa/ss+" + randomText(t, 21) + `"&?>` + randomText(t, 7))
	asJSON, _ := json.Marshal(string(secret))
	spellings := map[string]string{
		"raw": string(secret), "hex": hex.EncodeToString(secret), "HEX": strings.ToUpper(hex.EncodeToString(secret)),
		"query": url.QueryEscape(string(secret)), "path": url.PathEscape(string(secret)), "json": string(asJSON),
		"base64": base64.StdEncoding.EncodeToString(secret), "base64url": base64.RawURLEncoding.EncodeToString(secret),
	}
	for name, s := range spellings {
		got := seal.Redact("before "+s+" after "+s, secret)
		if strings.Count(got, "[redacted]") != 2 || !strings.HasPrefix(got, "before ") || strings.Contains(got, s) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := seal.Redact("nothing here", secret, nil, []byte{}); got != "nothing here" {
		t.Errorf("changed to %q", got)
	}
}

func TestRedactFindsASecretAnywhereInsideABase64Text(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), 12, 60).Draw(t, "secret")
		whole := append(rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "before"), secret...)
		whole = append(whole, rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "after")...)
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			got := seal.Redact(enc.EncodeToString(whole), secret)
			if !strings.Contains(got, "[redacted]") {
				t.Fatalf("not found in %q", enc.EncodeToString(whole))
			}
		}
	})
}

func TestRedactLeavesNoRestOfOverlappingSecrets(t *testing.T) {
	t.Parallel()
	if got := seal.Redact("x abcdefghi y ababab z", []byte("abcdef"), []byte("defghi"), []byte("abab")); got != "x [redacted] y [redacted] z" {
		t.Errorf("got %q", got)
	}
}

func TestHintShowsLittle(t *testing.T) {
	t.Parallel()
	middle := randomText(t, 24)
	for secret, want := range map[string]string{
		"AIza" + middle + "9xQ2":         "AIza…9xQ2",
		"":                               "…",
		"short":                          "…",
		strings.Repeat("a", 19):          "…",
		"äö" + middle + "9xQ2":           "…",
		"abc\n" + middle + "9xQ2":        "…",
		"AIza" + middle + "9x\x1b" + "2": "…",
	} {
		if got := seal.Hint([]byte(secret)); got != want {
			t.Errorf("%q gives %q, want %q", secret, got, want)
		}
	}
}
