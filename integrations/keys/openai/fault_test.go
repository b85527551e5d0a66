package openai_test

import (
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestTheProbeIsUnknownWhenOpenAIIsNotAnswering(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 429, 500, sandbox.FaultGarbage, sandbox.FaultLost} {
		h := build(t, "")
		h.world.Fault("openai", status, 5)
		if got := must[keys.Probed](t)(h.provider.Probe(within(t), h.key(), []byte(h.stolen.Secret()))); got.State != keys.ProbeUnknown {
			t.Errorf("%d is taken for %+v", status, got)
		}
	}
}

func TestWrongCredentialsAreSaidByCheck(t *testing.T) {
	t.Parallel()
	if err := build(t, "not-the-key").provider.Check(within(t)); !keys.IsPermanent(err) {
		t.Fatalf("check says %v", err)
	}
}
