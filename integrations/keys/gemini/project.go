package gemini

import (
	"context"
	"encoding/json"
	"fmt"

	apikeys "google.golang.org/api/apikeys/v2"
	serviceusage "google.golang.org/api/serviceusage/v1"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// States of a service, in Google's words.
const (
	serviceOn  = "ENABLED"
	serviceOff = "DISABLED"
)

// wasService is the undo of a stop: the service's state as it was.
type wasService struct {
	State string `json:"state"`
}

// CanStop declares the switch of the Gemini API: one call, undoable, felt by every key of the project.
func (p *Provider) CanStop() keys.Capability {
	return keys.Capability{
		Available: true, Reach: keys.ReachProject,
		What: fmt.Sprintf("Switch the Gemini API off for the whole project %q: no key of it works until it is on again", p.cfg.Project),
		Undo: "Switch the Gemini API on again",
	}
}

// ProjectState reads whether the Gemini API is on.
func (p *Provider) ProjectState(ctx context.Context) (keys.State, error) {
	state, err := p.service(ctx)
	if err != nil {
		return keys.State{}, err
	}
	undo, err := json.Marshal(wasService{state})
	return keys.State{Fields: serviceFields(state), Done: state != serviceOn, Undo: undo}, err
}

func serviceFields(state string) map[string]string {
	return map[string]string{generativeService: state}
}

func (p *Provider) serviceName() string {
	return "projects/" + p.cfg.Project + "/services/" + generativeService
}

func (p *Provider) service(ctx context.Context) (state string, err error) {
	err = p.read(ctx, fmt.Sprintf("reading the state of the Gemini API in project %q", p.cfg.Project), func() error {
		got, err := p.services.Services.Get(p.serviceName()).Context(ctx).Do()
		if err == nil {
			state = got.State
		}
		return err
	})
	return state, err
}

// StopProject switches the Gemini API off. Google refuses that for a service that is off, so the state decides. Use in the
// last days must not hold it up: that is why it is switched off.
func (p *Provider) StopProject(ctx context.Context) (keys.Receipt, error) {
	return p.turn(ctx, serviceOff, func() (*serviceusage.Operation, error) {
		return p.services.Services.Disable(p.serviceName(), &serviceusage.DisableServiceRequest{CheckIfServiceHasUsage: "SKIP"}).Context(ctx).Do()
	})
}

// StartProject switches the Gemini API on where it was on before.
func (p *Provider) StartProject(ctx context.Context, undo json.RawMessage) (keys.Receipt, error) {
	var was wasService
	if err := json.Unmarshal(undo, &was); err != nil {
		return keys.Receipt{}, keys.Permanent(fmt.Errorf("the recorded state of the Gemini API in project %q cannot be read, switch it on by hand: %w", p.cfg.Project, err))
	}
	if was.State != serviceOn {
		return keys.Receipt{Summary: "The Gemini API was off before, so it stays off", After: serviceFields(was.State)}, nil
	}
	return p.turn(ctx, serviceOn, func() (*serviceusage.Operation, error) {
		return p.services.Services.Enable(p.serviceName(), &serviceusage.EnableServiceRequest{}).Context(ctx).Do()
	})
}

func (p *Provider) turn(ctx context.Context, to string, send func() (*serviceusage.Operation, error)) (keys.Receipt, error) {
	what := fmt.Sprintf("switching the Gemini API of project %q to %s", p.cfg.Project, to)
	words := map[string]string{serviceOn: "on", serviceOff: "off"}[to]
	done := func(request string) keys.Receipt {
		return keys.Receipt{RequestID: request, Summary: fmt.Sprintf("The Gemini API is %s in project %s", words, p.cfg.Project), After: serviceFields(to)}
	}
	now, err := p.service(ctx)
	if err != nil {
		return keys.Receipt{}, err
	}
	if now == to {
		return done(""), nil
	}
	op, err := send()
	if err == nil {
		name := op.Name
		if _, err = p.follow(ctx, what, ours(op), func() (*apikeys.Operation, error) {
			got, err := p.services.Operations.Get(name).Context(ctx).Do()
			return ours(got), err
		}); err != nil {
			return keys.Receipt{}, err
		}
		return done(name), nil
	}
	if now, readErr := p.service(ctx); readErr == nil && now == to { // somebody, or a lost answer of ours, was faster
		return done(""), nil
	}
	return keys.Receipt{}, explain(what, err)
}

// ours gives an operation of Service Usage the type under which operations are followed; both are google.longrunning.
func ours(op *serviceusage.Operation) *apikeys.Operation {
	if op == nil {
		return nil
	}
	out := &apikeys.Operation{Name: op.Name, Done: op.Done}
	if op.Error != nil {
		out.Error = &apikeys.Status{Code: op.Error.Code, Message: op.Error.Message}
	}
	return out
}
