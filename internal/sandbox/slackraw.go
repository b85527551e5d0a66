package sandbox

import (
	"context"
	"net/url"
)

// Inject hands the app a payload that no client of Slack ever made, over Socket Mode or the signed HTTP door: what somebody
// could send who has got hold of the workspace's own credentials. It returns the acknowledgement.
func (s *Slack) Inject(ctx context.Context, payload []byte) ([]byte, error) {
	return s.send(ctx, "interactive", payload, url.Values{"payload": {string(payload)}})
}
