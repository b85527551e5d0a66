package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/paging"
)

// DefaultAPI is the address of PagerDuty's REST API; the EU region uses https://api.eu.pagerduty.com.
const DefaultAPI = "https://api.pagerduty.com"

const (
	rosterPage = 100 // what PagerDuty gives at most
	mostPages  = 20  // a rota with more people is not a rota
)

// RosterOptions configure a roster.
type RosterOptions struct {
	Token     string // of the REST API, read-only is enough; never shown
	Endpoint  string // DefaultAPI when empty
	Transport http.RoundTripper
}

// Roster asks who is on call now.
type Roster struct{ client *pd.Client }

var _ paging.Roster = (*Roster)(nil)

// NewRoster checks the options and makes a roster; it makes no call.
func NewRoster(o RosterOptions) (*Roster, error) {
	if strings.TrimSpace(o.Token) == "" {
		return nil, errors.New("the PagerDuty API token is empty: refer to one under notify.pagerduty.api_token")
	}
	if o.Endpoint == "" {
		o.Endpoint = DefaultAPI
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("the address of PagerDuty's API must look like " + DefaultAPI)
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	client := pd.NewClient(o.Token, pd.WithAPIEndpoint(strings.TrimRight(o.Endpoint, "/")))
	client.HTTPClient = &http.Client{
		Timeout: 15 * time.Second, Transport: limited{o.Transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Roster{client: client}, nil
}

// OnCall implements paging.Roster: the ids of the users who are on call at this moment. A schedule or policy that does not
// exist has nobody.
func (r *Roster) OnCall(ctx context.Context, rota paging.Rota) ([]string, error) {
	what := "asking who is on call in " + rota.String()
	ask := pd.ListOnCallOptions{Limit: rosterPage}
	if rota.Schedule != "" {
		ask.ScheduleIDs = []string{rota.Schedule}
	} else {
		ask.EscalationPolicyIDs = []string{rota.Policy}
	}
	users, seen := []string{}, map[string]bool{}
	for range mostPages {
		page, err := r.client.ListOnCallsWithContext(ctx, ask)
		if err != nil {
			return nil, rosterFault(what, err)
		}
		if page.OnCalls == nil {
			return nil, fmt.Errorf("%s: PagerDuty's answer holds no list", what)
		}
		for _, o := range page.OnCalls {
			fits := rota.Schedule != "" && o.Schedule.ID == rota.Schedule || rota.Policy != "" && o.EscalationPolicy.ID == rota.Policy && o.EscalationLevel == uint(max(rota.Level, 1))
			if fits && o.User.ID != "" && !seen[o.User.ID] {
				seen[o.User.ID] = true
				users = append(users, o.User.ID)
			}
		}
		if !page.More {
			return users, nil
		}
		ask.Offset += rosterPage
	}
	return nil, keys.Permanent(fmt.Errorf("%s: the list has more than %d pages", what, mostPages))
}

// rosterFault words an error without what PagerDuty or net/http quote.
func rosterFault(what string, err error) error {
	var api pd.APIError
	if errors.As(err, &api) && (api.StatusCode == http.StatusUnauthorized || api.StatusCode == http.StatusForbidden) {
		return keys.Permanent(fmt.Errorf("%s: PagerDuty answered %d: check notify.pagerduty.api_token", what, api.StatusCode))
	}
	if errors.As(err, &api) && api.StatusCode >= 300 && api.StatusCode < 500 && api.StatusCode != http.StatusTooManyRequests && api.StatusCode != http.StatusRequestTimeout {
		return keys.Permanent(fmt.Errorf("%s: PagerDuty answered %d", what, api.StatusCode))
	}
	if errors.As(err, &api) {
		return fmt.Errorf("%s: PagerDuty answered %d", what, api.StatusCode)
	}
	return fault(what, err)
}
