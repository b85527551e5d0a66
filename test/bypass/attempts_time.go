package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// wrongTimes are decisions that come too late, and a world that changed since people looked.
func wrongTimes() []attempt {
	return []attempt{
		{door: "api", name: "a click after the call was made", done: true, do: byAPI("cy", nil), code: signoff.ClosedCode, told: "nobody can decide it any more"},
		{door: "slack socket", name: "a click after a rejection", do: afterRejection, code: signoff.ClosedCode, told: "nobody can decide it any more", mend: (*kase).again},
		{door: "api", name: "a click after it expired", playbook: "end-key-soon", check: "expiry", do: afterExpiry, code: signoff.ClosedCode,
			told: "nobody can decide it any more", mend: func(c *kase, ctx context.Context) error { c.playbook = "end-key"; return c.again(ctx) }},
		{door: "slack socket", name: "a click after kill -9 and a restart, by who had approved", do: afterRestart, code: signoff.AlreadyCounted, told: "one person fills one seat"},
		{door: "api", name: "the group changes between click and call", do: groupChanges, code: signoff.StateVoided, told: "is no longer a member", entry: "signoff.drifted", mend: func(c *kase, ctx context.Context) error {
			return errors.Join(c.stale(ctx), c.await(ctx))
		}},
		{door: "api", name: "the target changes between click and call", playbook: "stop-key", check: "target state", do: targetChanges, code: signoff.StateVoided,
			told: "changed since people saw it", entry: "code:" + signoff.Drifted, mend: (*kase).await},
		{door: "api", name: "Slack falls silent between the last click and the call", do: silentBeforeCall, code: signoff.StateQuorum, entry: "signoff.waits", mend: (*kase).andSlackIsBack},
		{door: "api", name: "Slack stays silent until the approval lapses", do: lapses, code: signoff.StateLapsed, told: "was not used in time", entry: "signoff.lapsed", mend: (*kase).await},
		{door: "provider", name: "the answer to a final call is lost", playbook: "hand-over", check: "call row", done: true, setup: lostAnswer, do: nothingMore, code: signoff.StateDone, entry: "signoff.settled"},
	}
}

func afterRejection(ctx context.Context, c *kase) (heard, error) {
	a, err := c.decide(ctx, "bo", map[string]string{"verb": signoff.Reject, "reason": "it is the wrong key", "digest": c.view.Digest})
	if err != nil || a.status != http.StatusOK {
		return heard{}, errors.Join(fmt.Errorf("the rejection was answered %d: %s", a.status, a.body), err)
	}
	at := c.at0()
	if err := c.state(ctx, signoff.StateRejected); err != nil {
		return heard{}, err
	}
	told, err := c.inject(ctx, c.submission(sandbox.UserAna, at, nil))
	if err != nil {
		return heard{}, err
	}
	code, err := c.last(ctx, "ana")
	return heard{code, told}, err
}

// at0 is the route of the case's request by the records: its card has lost its buttons, or is about to.
func (c *kase) at0() route {
	r := route{Request: c.view.Request, Digest: c.view.Digest, Verb: signoff.Approve}
	row := c.db.QueryRowContext(context.Background(), `SELECT channel, ts FROM deliveries WHERE request = ?`, c.view.Request)
	_ = row.Scan(&r.Channel, &r.TS) // without a delivery the route leads nowhere, which the attempt then says
	return r
}

func afterExpiry(ctx context.Context, c *kase) (heard, error) {
	timer := time.NewTimer(time.Until(c.view.Envelope.Expires) + 200*time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return heard{}, ctx.Err()
	}
	_ = until(ctx, 3*time.Second, func() error { // where it never closes, the click says so
		v, _, err := c.now(ctx)
		if err == nil && v.State == signoff.StateOpen {
			err = errors.New("it is open still")
		}
		return err
	})
	return byAPI("ana", nil)(ctx, c)
}

func afterRestart(ctx context.Context, c *kase) (heard, error) {
	if err := c.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	if err := c.restart(ctx); err != nil {
		return heard{}, err
	}
	return bySocket(sandbox.UserAna, "ana")(ctx, c)
}

// outcome waits until the request is in a state and tells what its card then says.
func (c *kase) outcome(ctx context.Context, state string) (heard, error) {
	err := c.state(ctx, state)
	v, _, lost := c.now(ctx)
	if lost == nil && v.State != state {
		return heard{v.State, v.Otherwise}, nil // the caller says what that must be
	}
	return heard{v.State, v.Otherwise}, errors.Join(err, lost)
}

func groupChanges(ctx context.Context, c *kase) (heard, error) {
	if err := c.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	c.Slack.SetGroup(userGroup, members()[1:]...)
	defer c.Slack.SetGroup(userGroup, members()...)
	if err := c.stale(ctx); err != nil {
		return heard{}, err
	}
	if err := c.approve(ctx, "bo"); err != nil {
		return heard{}, err
	}
	got, err := c.outcome(ctx, signoff.StateVoided)
	return got, err
}

// targetChanges has somebody else change the key at the provider while people think.
func targetChanges(ctx context.Context, c *kase) (heard, error) {
	if err := c.approve(ctx, "ana"); err != nil {
		return heard{}, err
	}
	if err := c.meddle(ctx); err != nil {
		return heard{}, err
	}
	if err := c.approve(ctx, "bo"); err != nil {
		return heard{}, err
	}
	return c.outcome(ctx, signoff.StateVoided)
}

// meddle changes the key as another administrator might.
func (c *kase) meddle(ctx context.Context) error {
	body := `{"restrictions":{"apiTargets":[{"service":"translate.googleapis.com"}]}}`
	url := fmt.Sprintf("%s/v2/projects/%s/locations/global/keys/%s?updateMask=restrictions", c.ProviderURL, c.key.Project, c.key.ID)
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.World.AdminToken())
	req.Header.Set(sandbox.ActorHeader, meddler)
	req.Header.Set("Content-Type", "application/json")
	a, err := send(browser(), req)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("the provider answered the change with %d: %s", a.status, a.body)
	}
	return err
}

// silence lets Slack fail from the last look that the gateway takes at a decision on: from then on nobody can be looked at.
func (c *kase) silence(ctx context.Context) error {
	if err := c.approve(ctx, "ana"); err != nil {
		return err
	}
	if err := c.stale(ctx); err != nil {
		return err
	}
	armed := true
	c.World.Subscribe(func(e sandbox.Entry) {
		if armed && e.Service == "slack" && strings.HasSuffix(e.Path, "usergroups.users.list") {
			armed = false
			c.World.Fault("slack", http.StatusServiceUnavailable, 100_000)
		}
	})
	return c.approve(ctx, "bo")
}

func silentBeforeCall(ctx context.Context, c *kase) (heard, error) {
	if err := c.silence(ctx); err != nil {
		return heard{}, err
	}
	if err := until(ctx, 10*time.Second, func() error {
		_, err := c.seen(ctx, attempt{entry: "signoff.waits"})
		return err
	}); err != nil {
		return heard{}, err
	}
	v, _, err := c.now(ctx)
	return heard{v.State, v.Otherwise}, err
}

// andSlackIsBack: what people approved is done then, without a further click.
func (c *kase) andSlackIsBack(context.Context) error {
	c.World.Mend("slack")
	c.approved = append(c.approved, "cy") // nobody is asked for more
	return nil
}

func lapses(ctx context.Context, c *kase) (heard, error) {
	if err := c.silence(ctx); err != nil {
		return heard{}, err
	}
	got, err := c.outcome(ctx, signoff.StateLapsed)
	c.World.Mend("slack")
	return got, err
}

// lostAnswer is a hand-over whose write of the secret is obeyed, and whose answer never arrives.
func lostAnswer(ctx context.Context, h *house) (*kase, error) {
	armed := true
	h.World.Subscribe(func(e sandbox.Entry) {
		if armed && e.Service == "github" && strings.HasSuffix(e.Path, "/actions/secrets/public-key") {
			armed = false
			h.World.Fault("github", sandbox.FaultLost, 1)
		}
	})
	return h.begin(ctx, "hand-over")
}

// nothingMore waits for the end of the sign-off: looking again at the call whose answer was lost must not make it twice.
func nothingMore(ctx context.Context, c *kase) (heard, error) {
	return c.outcome(ctx, signoff.StateDone)
}
