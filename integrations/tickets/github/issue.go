package github

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets"
	"github.com/tourniquet-ir/tourniquet/integrations/tickets/github/api"
)

// Label is on every issue that we open.
const Label = "tourniquet"

const (
	pageSize = 100
	maxPages = 10 // a thousand issues or comments back is further than any repeat
)

// Tracker opens issues in one repository.
type Tracker struct {
	api         *api.Client
	owner, repo string
	labels      []string
}

var _ tickets.Tracker = (*Tracker)(nil)

// NewTracker returns a tracker for issues of owner/repo, which get Label and the labels named.
func NewTracker(c *api.Client, owner, repo string, labels ...string) (*Tracker, error) {
	if err := api.CheckRepo(owner, repo); err != nil {
		return nil, err
	}
	return &Tracker{api: c, owner: owner, repo: repo, labels: append([]string{Label}, labels...)}, nil
}

type issue struct {
	Number      int64     `json:"number"`
	URL         string    `json:"html_url"`
	Body        string    `json:"body"`
	PullRequest *struct{} `json:"pull_request"`
}

func (i issue) ticket() tickets.Ticket {
	return tickets.Ticket{ID: strconv.FormatInt(i.Number, 10), URL: i.URL}
}

// Open implements tickets.Tracker: the labelled issues, open and closed, are searched for the marker first.
func (t *Tracker) Open(ctx context.Context, marker, title, body string) (tickets.Ticket, error) {
	line, err := markerLine(marker)
	if err != nil {
		return tickets.Ticket{}, err
	}
	found, err := t.find(ctx, line)
	if err != nil || found != nil {
		return pick(found), err
	}
	in := map[string]any{"title": titleText(title), "body": block(line, body), "labels": t.labels}
	var made issue
	what := fmt.Sprintf("open an issue in %s/%s", t.owner, t.repo)
	if _, err := t.api.Call(ctx, what, http.MethodPost, t.path("issues"), in, &made); err != nil {
		return tickets.Ticket{}, err
	}
	if made.Number == 0 {
		return tickets.Ticket{}, fmt.Errorf("%s: GitHub answered without an issue number", what)
	}
	return made.ticket(), nil
}

func pick(i *issue) tickets.Ticket {
	if i == nil {
		return tickets.Ticket{}
	}
	return i.ticket()
}

func (t *Tracker) find(ctx context.Context, line string) (*issue, error) {
	what := fmt.Sprintf("list the issues of %s/%s", t.owner, t.repo)
	for page := 1; page <= maxPages; page++ {
		var got []issue
		path := fmt.Sprintf("%s?state=all&labels=%s&per_page=%d&page=%d", t.path("issues"), Label, pageSize, page)
		if _, err := t.api.Call(ctx, what, http.MethodGet, path, nil, &got); err != nil {
			return nil, err
		}
		for i := range got {
			if got[i].PullRequest == nil && marked(got[i].Body, line) {
				return &got[i], nil
			}
		}
		if len(got) < pageSize {
			break
		}
	}
	return nil, nil
}

// Comment implements tickets.Tracker.
func (t *Tracker) Comment(ctx context.Context, id, marker, body string) error {
	line, err := markerLine(marker)
	if err != nil {
		return err
	}
	number, err := issueNumber(id)
	if err != nil {
		return err
	}
	path := t.path("issues", number, "comments")
	what := fmt.Sprintf("comment on issue %s/%s#%s", t.owner, t.repo, number)
	for page := 1; page <= maxPages; page++ {
		var got []issue
		if _, err := t.api.Call(ctx, what, http.MethodGet, fmt.Sprintf("%s?per_page=%d&page=%d", path, pageSize, page), nil, &got); err != nil {
			return err
		}
		for _, c := range got {
			if marked(c.Body, line) {
				return nil
			}
		}
		if len(got) < pageSize {
			break
		}
	}
	_, err = t.api.Call(ctx, what, http.MethodPost, path, map[string]string{"body": block(line, body)}, nil)
	return err
}

// Close implements tickets.Tracker: the summary becomes a comment, written once, then the issue is closed.
func (t *Tracker) Close(ctx context.Context, id, summary string) error {
	if err := t.Comment(ctx, id, "closed:"+id, summary); err != nil {
		return err
	}
	what := fmt.Sprintf("close issue %s/%s#%s", t.owner, t.repo, id)
	_, err := t.api.Call(ctx, what, http.MethodPatch, t.path("issues", id), map[string]string{"state": "closed", "state_reason": "completed"}, nil)
	return err
}

func (t *Tracker) path(rest ...string) string {
	return api.Path(append([]string{"repos", t.owner, t.repo}, rest...)...)
}

func issueNumber(id string) (string, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 1 {
		return "", keys.Permanent(fmt.Errorf("%q is not the number of a GitHub issue", id))
	}
	return strconv.FormatInt(n, 10), nil
}
