package gemini

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	apikeys "google.golang.org/api/apikeys/v2"
	"google.golang.org/api/googleapi"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Identify finds the key by its value, its id, its uid or a hint, in that order of certainty.
func (p *Provider) Identify(ctx context.Context, clue incident.Clue, secret []byte) ([]incident.Key, error) {
	switch {
	case len(secret) > 0:
		if c, private, is := parseCredentials(secret); is {
			return p.byCredentials(ctx, c, private)
		}
		return p.bySecret(ctx, string(secret))
	case isAccountKey(clue.ID):
		return p.byAccountID(ctx, clue.ID)
	case clue.ID != "":
		return p.byID(ctx, lastSegment(clue.ID))
	case clue.Hint != "":
		return p.byHint(ctx, clue.Hint)
	}
	return nil, nil
}

// bySecret asks Google which key has the value. Google answers 403 for values that it does not know and for keys of
// projects that we may not see: both mean that the key is not ours.
func (p *Provider) bySecret(ctx context.Context, secret string) ([]incident.Key, error) {
	const what = "looking the key up by its value"
	var found *apikeys.V2LookupKeyResponse
	err := p.read(ctx, what, func() (err error) {
		found, err = p.keys.Keys.LookupKey().KeyString(secret).Context(ctx).Do()
		if unknownKey(err) {
			found, err = &apikeys.V2LookupKeyResponse{}, nil
		}
		return err
	})
	if err != nil || found.Name == "" {
		return nil, err
	}
	id := lastSegment(found.Name)
	list, err := p.get(ctx, p.resource(incident.Key{ID: id}), hintOf(secret))
	if err != nil || len(list) > 0 {
		return list, err
	}
	list, err = p.get(ctx, found.Name, hintOf(secret)) // of another project that these credentials reach
	if len(list) > 0 {
		list[0].Project = strings.Split(found.Name, "/")[1]
	}
	return list, err
}

func unknownKey(err error) bool {
	var api *googleapi.Error
	return errors.As(err, &api) && api.Code == http.StatusForbidden && strings.Contains(api.Message, "apikeys.keys.lookup") ||
		notFound(err)
}

func (p *Provider) byID(ctx context.Context, id string) ([]incident.Key, error) {
	list, err := p.get(ctx, p.resource(incident.Key{ID: id}), "")
	if err != nil || len(list) > 0 {
		return list, err
	}
	all, err := p.list(ctx, p.cfg.Project) // usage is counted under the uid, so an alert may name it instead
	for _, k := range all {
		if k.Uid == strings.TrimPrefix(id, "apikey:") {
			return []incident.Key{p.noun(k, "")}, nil
		}
	}
	return nil, err
}

// byHint compares the value of every key with the hint; the values stay in this function.
func (p *Provider) byHint(ctx context.Context, hint string) ([]incident.Key, error) {
	first, last, valid := splitHint(hint)
	if !valid {
		return nil, nil
	}
	all, err := p.list(ctx, p.cfg.Project)
	if err != nil {
		return nil, err
	}
	var found []incident.Key
	for _, k := range all {
		value, err := p.value(ctx, k.Name)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(value, first) && strings.HasSuffix(value, last) {
			found = append(found, p.noun(k, hintOf(value)))
		}
	}
	return found, nil
}

// get reads one key; no key is an empty list.
func (p *Provider) get(ctx context.Context, name, hint string) ([]incident.Key, error) {
	k, err := p.key(ctx, name)
	if err != nil || k == nil {
		return nil, err
	}
	return []incident.Key{p.noun(k, hint)}, nil
}

// key reads one key; nil means that Google knows none of this name.
func (p *Provider) key(ctx context.Context, name string) (*apikeys.V2Key, error) {
	var k *apikeys.V2Key
	err := p.read(ctx, fmt.Sprintf("reading the key %q", name), func() (err error) {
		k, err = p.keys.Projects.Locations.Keys.Get(name).Context(ctx).Do()
		if notFound(err) {
			k, err = nil, nil
		}
		return err
	})
	return k, err
}

// list reads every key of the project, deleted ones too.
func (p *Provider) list(ctx context.Context, project string) ([]*apikeys.V2Key, error) {
	var all []*apikeys.V2Key
	err := p.read(ctx, fmt.Sprintf("listing the keys of project %q", project), func() error {
		all = nil
		return p.keys.Projects.Locations.Keys.List(p.parent(project)).PageSize(300).ShowDeleted(true).Pages(ctx, func(page *apikeys.V2ListKeysResponse) error {
			all = append(all, page.Keys...)
			return nil
		})
	})
	return all, err
}

// value reads the secret value of a key.
func (p *Provider) value(ctx context.Context, name string) (string, error) {
	var got *apikeys.V2GetKeyStringResponse
	err := p.read(ctx, fmt.Sprintf("reading the value of the key %q", name), func() (err error) {
		got, err = p.keys.Projects.Locations.Keys.GetKeyString(name).Context(ctx).Do()
		return err
	})
	if err != nil {
		return "", err
	}
	return got.KeyString, nil
}

// noun is Google's key in our words. Google writes project numbers into names; our own project keeps its id.
func (p *Provider) noun(k *apikeys.V2Key, hint string) incident.Key {
	return incident.Key{
		Provider: providerName, Account: p.cfg.Account, Project: p.cfg.Project,
		ID: lastSegment(k.Name), UID: k.Uid, Name: k.DisplayName, Hint: hint, Dependents: []incident.Dependent{},
	}
}

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func hintOf(secret string) string {
	if len(secret) < 12 {
		return "…"
	}
	return secret[:4] + "…" + secret[len(secret)-4:]
}

// splitHint cuts "AIza…9xQ2" (or with dots or stars in the middle); a hint without a tail fits too much to be one.
func splitHint(hint string) (first, last string, valid bool) {
	cut := func(r rune) bool { return r == '…' || r == '.' || r == '*' }
	parts := strings.FieldsFunc(hint, cut)
	switch {
	case len(parts) == 2:
		return parts[0], parts[1], len(parts[1]) >= 3
	case len(parts) == 1 && strings.IndexFunc(hint, cut) == 0:
		return "", parts[0], len(parts[0]) >= 3
	}
	return "", "", false
}
