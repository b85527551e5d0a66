package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Secrets lists by name the secrets of a repository's Actions, Dependabot and Codespaces and of the environments that are named:
// GitHub shows no more.
// Those that the token may not list are left out, except the Actions' own: without them nothing is known.
func (s *Store) Secrets(ctx context.Context, owner, repo string, environments ...string) ([]incident.Dependent, error) {
	if err := api.CheckRepo(owner, repo); err != nil {
		return nil, keys.Permanent(err)
	}
	out, err := s.secretsOf(ctx, KindActions, owner, repo, "")
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{KindDependabot, KindCodespaces} {
		more, err := s.secretsOf(ctx, kind, owner, repo, "")
		if err != nil && !keys.IsPermanent(err) {
			return nil, err
		}
		out = append(out, more...)
	}
	for _, e := range environments {
		more, err := s.secretsOf(ctx, KindEnvironment, owner, repo, e)
		if err != nil && !keys.IsPermanent(err) {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func (s *Store) secretsOf(ctx context.Context, kind, owner, repo, environment string) ([]incident.Dependent, error) {
	address := map[string]string{"owner": owner, "repo": repo, "name": "A"}
	if environment != "" {
		address["environment"] = environment
	}
	p, err := placeOf(incident.Dependent{ID: kind, Kind: kind, Address: address})
	if err != nil {
		return nil, err
	}
	var out []incident.Dependent
	for page := 1; page <= maxPages; page++ {
		var got struct {
			Secrets []struct {
				Name string `json:"name"`
			} `json:"secrets"`
		}
		path := fmt.Sprintf("%s?per_page=%d&page=%d", p.path(), pageSize, page)
		if _, err := s.api.Call(ctx, "list the "+kind+"s of "+owner+"/"+repo, http.MethodGet, path, nil, &got); err != nil {
			return nil, err
		}
		for _, one := range got.Secrets {
			at := map[string]string{"owner": owner, "repo": repo, "name": one.Name}
			if environment != "" {
				at["environment"] = environment
			}
			out = append(out, incident.Dependent{Kind: kind, Address: at})
		}
		if len(got.Secrets) < pageSize {
			break
		}
	}
	return out, nil
}
