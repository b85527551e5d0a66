package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tourniquet-ir/tourniquet/integrations/sources"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

// record seals each secret first, so that it exists nowhere else from then on, and blackens them all in all that is kept.
func (d *door) record(ctx context.Context, name, trust string, got sources.Delivery, r sources.Request) (incident.Finding, []database.Incoming, error) {
	var secrets [][]byte
	list := make([]database.Incoming, 0, len(got.Findings))
	for _, f := range got.Findings {
		a := f.Alert
		a.Source, a.Trust, a.ReceivedAt = name, trust, r.At
		if len(f.Secret) > 0 {
			a.Key.SecretHash = d.o.Box.KeyedHash(f.Secret)
			if a.Key.Hint == "" {
				a.Key.Hint = seal.Hint(f.Secret)
			}
			secrets = append(secrets, f.Secret)
		}
		if f.PerSecret {
			a.Fingerprint += "|" + a.Key.SecretHash
		}
		a.Fingerprint = fingerprint(name, a.Fingerprint)
		if len(f.Secret) > 0 {
			ref, err := d.o.Store.PutSealed(ctx, "alert/"+a.Fingerprint, f.Secret, "")
			if err != nil {
				return incident.Finding{}, nil, err
			}
			a.Key.Secret = &ref
		}
		for _, s := range f.Also {
			if len(s) >= shortestSecret {
				secrets = append(secrets, s)
			}
		}
		list = append(list, database.Incoming{Alert: a, Aliases: aliases(name, f.Thread, a.Key)})
	}
	black := seal.NewRedactor(secrets...)
	finding := blackened(got, black, r.Body)
	for i := range list {
		list[i].Alert.FindingDigest = finding.DigestStored
		scrub(&list[i].Alert, black)
	}
	return finding, list, nil
}

// shortestSecret is the shortest value that is blackened: shorter ones stand in ordinary words.
const shortestSecret = 8

// blackened is the finding as it is kept: byte for byte where it held no secret.
func blackened(got sources.Delivery, black seal.Redactor, body []byte) incident.Finding {
	f := incident.Finding{Body: redactJSON(body, black), Headers: map[string]string{}, DigestReceived: digest(body)}
	for k, v := range got.Headers {
		f.Headers[k] = black.Redact(v)
	}
	f.DigestStored = digest(f.Body)
	return f
}

// scrub blackens secrets in every text of an alert: a title may well quote what was found.
func scrub(a *incident.Alert, black seal.Redactor) {
	for _, s := range []*string{&a.Title, &a.Key.Provider, &a.Key.Account, &a.Key.ID, &a.Key.Hint, &a.Key.Where} {
		*s = black.Redact(*s)
	}
	links := make([]string, len(a.Links))
	for i, l := range a.Links {
		links[i] = black.Redact(l)
	}
	a.Links = links
}

// aliases are the exact names under which alerts join. A keyed hash stands for the value itself, so it joins whether or
// not a source knew the provider; an id is unique within its account; a hint never joins. The source's own name of the matter
// is a weak one: it joins what names no key.
func aliases(source, thread string, c incident.Clue) []database.Alias {
	var out []database.Alias
	if c.SecretHash != "" {
		out = append(out, database.Alias{Kind: database.AliasHash, Value: c.SecretHash})
		if c.Provider != "" {
			out = append(out, database.Alias{Provider: c.Provider, Kind: database.AliasHash, Value: c.SecretHash})
		}
	}
	if c.Provider != "" && c.ID != "" {
		out = append(out, database.Alias{Provider: c.Provider, Kind: database.AliasID, Value: c.Account + "/" + c.ID})
	}
	if thread != "" {
		out = append(out, database.Alias{Provider: "source:" + source, Kind: database.AliasID, Value: fingerprint(source, thread), Weak: true})
	}
	return out
}

// fingerprint hashes the source's name with its own words, so that no source can repeat another's alert away.
func fingerprint(source, words string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(source), source, words))
	return hex.EncodeToString(sum[:])
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
