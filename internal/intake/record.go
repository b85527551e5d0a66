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

// record is what is kept of one delivery.
type record struct {
	finding incident.Finding
	alert   incident.Alert
	aliases []database.Alias
}

// record seals the secret first, so that it exists nowhere else from then on, and blackens it in all that is kept.
func (d *door) record(ctx context.Context, name, trust string, dec sources.Decoded, secret []byte, r sources.Request) (record, error) {
	a := dec.Alert
	a.Source, a.Trust, a.ReceivedAt = name, trust, r.At
	a.Fingerprint = fingerprint(name, a.Fingerprint)
	stored := r.Body
	headers := dec.Headers
	if len(secret) > 0 {
		ref, err := d.o.Store.PutSealed(ctx, "alert/"+a.Fingerprint, secret, "")
		if err != nil {
			return record{}, err
		}
		a.Key.Secret, a.Key.SecretHash = &ref, d.o.Box.KeyedHash(secret)
		if a.Key.Hint == "" {
			a.Key.Hint = seal.Hint(secret)
		}
		stored = redactJSON(r.Body, secret)
		headers = map[string]string{}
		for k, v := range dec.Headers {
			headers[k] = seal.Redact(v, secret)
		}
		scrub(&a, secret)
	}
	a.FindingDigest = digest(stored)
	return record{
		finding: incident.Finding{Body: stored, Headers: headers, DigestReceived: digest(r.Body), DigestStored: a.FindingDigest},
		alert:   a, aliases: aliases(a.Key),
	}, nil
}

// scrub blackens the secret in every text of an alert: a title may well quote what was found.
func scrub(a *incident.Alert, secret []byte) {
	for _, s := range []*string{&a.Title, &a.Key.Provider, &a.Key.Account, &a.Key.ID, &a.Key.Hint} {
		*s = seal.Redact(*s, secret)
	}
	links := make([]string, len(a.Links))
	for i, l := range a.Links {
		links[i] = seal.Redact(l, secret)
	}
	a.Links = links
}

// aliases are the exact names under which alerts join. A keyed hash stands for the value itself, so it joins whether or
// not a source knew the provider; an id is unique within its account; a hint never joins.
func aliases(c incident.Clue) []database.Alias {
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
