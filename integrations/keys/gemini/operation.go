package gemini

import (
	"context"
	"fmt"
	"time"

	apikeys "google.golang.org/api/apikeys/v2"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
)

// wait follows a long-running operation of the API Keys API.
func (p *Provider) wait(ctx context.Context, what string, op *apikeys.Operation) (*apikeys.Operation, error) {
	name := op.Name
	return p.follow(ctx, what, op, func() (*apikeys.Operation, error) { return p.keys.Operations.Get(name).Context(ctx).Do() })
}

// follow asks for a long-running operation until it is done, at most OperationTimeout.
func (p *Provider) follow(ctx context.Context, what string, op *apikeys.Operation, get func() (*apikeys.Operation, error)) (*apikeys.Operation, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.OperationTimeout)
	defer cancel()
	for pause := 20 * time.Millisecond; !op.Done; pause = min(pause*2, time.Second) {
		if err := sleep(ctx, pause); err != nil {
			return nil, fmt.Errorf("%s: Google accepted operation %q but has not finished it yet: %w", what, op.Name, err)
		}
		name := op.Name
		err := p.read(ctx, what+": asking for operation "+name, func() error {
			got, err := get()
			if err == nil {
				op = got
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return op, operationError(what, op)
}

// permanentCodes are the canonical codes that a repeat cannot mend: invalid argument, not found, permission
// denied, failed precondition, unauthenticated.
var permanentCodes = map[int64]bool{3: true, 5: true, 7: true, 9: true, 16: true}

func operationError(what string, op *apikeys.Operation) error {
	if op.Error == nil {
		return nil
	}
	err := scrubbed{fmt.Errorf("%s: Google's operation %q ended with code %d: %q", what, op.Name, op.Error.Code, op.Error.Message)}
	if permanentCodes[op.Error.Code] {
		return keys.Permanent(err)
	}
	return err
}
