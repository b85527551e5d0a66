package signoff

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ClockSkew is how far the gateway's clock may run ahead of the workflow's before a decision is refused.
const ClockSkew = 5 * time.Second

// Sign fills KeyID and Sig. Only the gateway holds priv. Times are brought to UTC first.
func Sign(d Decision, keyID string, priv ed25519.PrivateKey) (Decision, error) {
	if keyID == "" || len(priv) != ed25519.PrivateKeySize {
		return Decision{}, fmt.Errorf("the decision key %q is not an Ed25519 private key with an id", keyID)
	}
	d.KeyID, d.Sig = keyID, ""
	d.At, d.SeenAt = d.At.Round(0).UTC(), d.SeenAt.Round(0).UTC()
	msg, err := signedBytes(d)
	if err != nil {
		return Decision{}, err
	}
	d.Sig = base64.StdEncoding.EncodeToString(ed25519.Sign(priv, msg))
	return d, nil
}

// Verify checks the signature with the key that keys (id -> base64 Ed25519) holds under the decision's key id.
func Verify(d Decision, keys map[string]string) *Refusal {
	text, ok := keys[d.KeyID]
	if !ok || d.KeyID == "" {
		return refuse(BadSignature, "the decision of %q is signed with the key %q, which this request does not know", d.Person, d.KeyID)
	}
	pub, err := exactBase64(text)
	if err != nil || len(pub) != ed25519.PublicKeySize {
		return refuse(BadSignature, "the public key %q of this request is not an Ed25519 key in base64", d.KeyID)
	}
	sig, err := exactBase64(d.Sig)
	if err != nil || len(sig) != ed25519.SignatureSize {
		return refuse(BadSignature, "the decision of %q carries no readable signature", d.Person)
	}
	msg, err := signedBytes(d)
	if err != nil || !ed25519.Verify(pub, msg, sig) {
		return refuse(BadSignature, "the signature under the decision of %q does not match it; decide again through Slack, the console or the command line", d.Person)
	}
	return nil
}

// signedBytes is the domain and the canonical JSON of everything but the signature.
func signedBytes(d Decision) ([]byte, error) {
	d.At, d.SeenAt = d.At.UTC(), d.SeenAt.UTC()
	rest := struct {
		Decision
		Sig string `json:"sig,omitempty"` // hides the embedded field, and is always empty
	}{Decision: d}
	b, err := canonical(rest, true)
	if err != nil {
		return nil, fmt.Errorf("the decision of %q cannot be signed: %w", d.Person, err)
	}
	return append([]byte(domainDecision+"\n"), b...), nil
}

// exactBase64 accepts one spelling only, so that an altered signature text never verifies.
func exactBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err == nil && base64.StdEncoding.EncodeToString(b) != s {
		err = base64.CorruptInputError(0)
	}
	return b, err
}

// Accept says whether the decision d counts for the request now; nil means that it does. The update's validator and
// its handler both call it: digest and state are those of the frozen request, counted the decisions so far.
func Accept(request string, e Envelope, digest, state string, counted []Decision, d Decision, now time.Time) *Refusal {
	if r := Verify(d, e.PublicKeys); r != nil {
		return r
	}
	if r := fits(request, e, digest, d); r != nil {
		return r
	}
	if r := open(state, d.Verb); r != nil {
		return r
	}
	if !now.Before(e.Expires) {
		return refuse(ExpiredCode, "this request expired at %s; nobody can decide it any more, it has to be asked anew", stamp(e.Expires))
	}
	if d.At.After(now.Add(ClockSkew)) {
		return refuse(TooEarly, "the decision of %q is dated %s, ahead of the clock (%s); check the clocks of the hosts", d.Person, stamp(d.At), stamp(now))
	}
	if r := inTime(e, d); r != nil {
		return r
	}
	if r := mayDecide(e.Rule, d); r != nil {
		return r
	}
	return onceOnly(e.Rule, counted, d)
}

func fits(request string, e Envelope, digest string, d Decision) *Refusal {
	if request == "" || d.Request != request {
		return refuse(WrongRequest, "this answer belongs to the request %q, not to %q", d.Request, request)
	}
	own, err := Digest(e)
	if err != nil {
		return refuse(BadEnvelope, "%s", err)
	}
	if own != digest || d.Digest != digest {
		return refuse(StaleDigest, "the answer was given to %s, but what would run now is %s; open the request again and compare the check code",
			codeOr(d.Digest), codeOr(own))
	}
	if d.Verb != Approve && d.Verb != Reject {
		return refuse(BadVerb, "an answer is %q or %q, not %q", Approve, Reject, d.Verb)
	}
	return nil
}

func codeOr(digest string) string {
	if c := CheckCode(digest); c != "" {
		return c
	}
	return "something without a check code"
}

func open(state, verb string) *Refusal {
	switch {
	case state == StateOpen, state == StateQuorum && verb == Reject:
		return nil
	case state == StateQuorum:
		return refuse(ClosedCode, "all seats are filled already; until the calls start, whoever may decide can still reject")
	default:
		return refuse(ClosedCode, "this request is %s; nobody can decide it any more", state)
	}
}

// inTime is the same for Accept and for a grant: what counted once must still count when it is used.
func inTime(e Envelope, d Decision) *Refusal {
	switch {
	case d.At.Before(e.Issued):
		return refuse(TooEarly, "the decision of %q is dated %s, before the request was made (%s)", d.Person, stamp(d.At), stamp(e.Issued))
	case !d.At.Before(e.Expires):
		return refuse(ExpiredCode, "the decision of %q came at %s, but the request expired at %s", d.Person, stamp(d.At), stamp(e.Expires))
	case d.SeenAt.IsZero(), d.SeenAt.After(d.At):
		return refuse(BadSignature, "the decision of %q does not say when, before it, the membership was read", d.Person)
	}
	return nil
}

func mayDecide(rule Rule, d Decision) *Refusal {
	if d.Person != "" && slices.Contains(rule.Excluded, d.Person) {
		return refuse(ExcludedCode, "%q may not decide this request, having a part in it; %s may", d.Person, rule.Who())
	}
	for _, s := range rule.Seats {
		if s.takes(d, rule.Excluded) {
			return nil
		}
	}
	return refuse(NotEligible, "%q has no seat in this request; %s may decide", d.Person, rule.Who())
}

func onceOnly(rule Rule, counted []Decision, d Decision) *Refusal {
	for _, c := range counted {
		if c.Person == d.Person && (c.Verb == d.Verb || c.Verb == Reject) {
			return refuse(AlreadyCounted, "the answer of %q is counted already; one person fills one seat: %s", d.Person, rule.Who())
		}
	}
	if d.Verb == Reject && strings.TrimSpace(d.Reason) == "" {
		return refuse(NoReason, "a rejection needs a reason; say why and reject again")
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
