package activities

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/keys/bedrock"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// withAWS puts an AWS account beside the bench's own and makes an access key the run's key.
func (b *bench) withAWS(t *testing.T) *bedrock.Provider {
	t.Helper()
	world := sandbox.NewWorld(sandbox.Options{AWSDelay: -1})
	server := httptest.NewServer(world.AWS())
	t.Cleanup(server.Close)
	id, secret := world.AWSResponder()
	p := must(bedrock.New(bedrock.Config{
		Account: "aws", AccountID: sandbox.AWSAccountID, Regions: []string{"us-east-1"}, Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
		Endpoints: bedrock.Endpoints{IAM: server.URL, STS: server.URL, CloudTrail: server.URL, Bedrock: server.URL, CostExplorer: server.URL},
	}))(t)
	b.h.Providers = append(b.h.Providers, Account{"aws", p})
	stolen := world.NewAWSAccessKey("shop")
	b.key = must(p.Identify(t.Context(), incident.Clue{ID: stolen.ID}, nil))(t)[0]
	b.run(t, "run-aws", incident.ModeEnforce)
	return p
}

func (b *bench) policy(t *testing.T, p *bedrock.Provider) string {
	t.Helper()
	return must(p.State(t.Context(), keys.OpSessions, b.key))(t).Fields["deny_policy"]
}

func TestSessionsThatWereEndedAreGivenBackUnderAGrant(t *testing.T) {
	t.Parallel()
	b := build(t)
	p := b.withAWS(t)
	call := b.call("sessions.revoke", "key", nil)
	_, err := b.do(t, call)
	refused(t, err, wire.ErrNeedsSignoff) // a policy on a user is felt by more than this key
	g := b.grant(t, call, "ann", "bob")
	call.Grant = &g
	if res := b.done(t, call); res.Undo != "sessions.restore" || b.policy(t, p) == "none" {
		t.Fatalf("ended with undo %q, the policy is %q", res.Undo, b.policy(t, p))
	}
	back := b.call("sessions.restore", "key", nil)
	back.With["step"] = call.Step
	_, err = b.do(t, back)
	refused(t, err, wire.ErrRefused) // it may give a thief his session back
	g = b.grantFor(t, "undo", back, "ann", "bob")
	back.Grant = &g
	b.done(t, back)
	if got := b.policy(t, p); got != "none" {
		t.Fatalf("the policy is %q after it was taken off", got)
	}
	if rows := must(b.h.DB.Undos(t.Context(), "run-1"))(t); len(rows) != 1 || rows[0].UndoneAt.IsZero() {
		t.Fatalf("the record of the way back is %+v", rows)
	}
}

func TestAPlanForAKeyThatCannotBeMadeIsRefusedBeforePeopleAreAsked(t *testing.T) {
	t.Parallel()
	b := build(t)
	p := b.withAWS(t)
	must(p.Create(t.Context(), b.key, "tourniquet-other"))(t)
	_, err := b.do(t, b.call("key.create", "like", nil))
	refused(t, err, wire.ErrPermanent)
}
