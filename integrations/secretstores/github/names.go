package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
)

// Names lists the secrets of a repository's Actions by name: GitHub shows no more.
func (s *Store) Names(ctx context.Context, owner, repo string) ([]string, error) {
	if err := api.CheckRepo(owner, repo); err != nil {
		return nil, keys.Permanent(err)
	}
	what := fmt.Sprintf("list the secrets of %s/%s", owner, repo)
	var out []string
	for page := 1; page <= maxPages; page++ {
		var got struct {
			Secrets []struct {
				Name string `json:"name"`
			} `json:"secrets"`
		}
		path := fmt.Sprintf("%s?per_page=%d&page=%d", api.Path("repos", owner, repo, "actions", "secrets"), pageSize, page)
		if _, err := s.api.Call(ctx, what, http.MethodGet, path, nil, &got); err != nil {
			return nil, err
		}
		for _, one := range got.Secrets {
			out = append(out, one.Name)
		}
		if len(got.Secrets) < pageSize {
			break
		}
	}
	return out, nil
}
