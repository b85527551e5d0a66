package e2e

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

// stage is a sandbox world in the test's own process, so that the test can look into it.
type stage struct {
	*sandbox.Stage
	slack page
}

// openStage sets a stage and the product that is pointed at it. A deleted key is refused at once.
func openStage(t *testing.T, program string) (*stage, *product) {
	t.Helper()
	s, err := sandbox.NewStage(sandbox.Options{RevocationDelay: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := &product{program: program, dir: t.TempDir()}
	listen := freeAddress(t)
	h.url = "http://" + listen
	if _, err := s.Write(h.dir, listen); err != nil {
		t.Fatal(err)
	}
	s.Connect(h.url)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(told(s.World.Entries()))
		}
	})
	return &stage{s, page{s.SlackURL}}, h
}

// signReplacement answers the question and fills the seats of the first sign-off.
func (s *stage) signReplacement(t *testing.T) string {
	t.Helper()
	s.slack.answer(t, ana, "abuse")
	request := s.slack.open(t)
	for _, who := range []string{ana, bo, lee} {
		s.slack.approve(t, who, request)
	}
	return request
}

func (s *stage) signRevocation(t *testing.T, replace string) string {
	t.Helper()
	request := s.slack.open(t, replace)
	for _, who := range []string{ana, bo} {
		s.slack.approve(t, who, request)
	}
	return request
}

func TestKill9BetweenIntentAndReceiptMakesEveryFinalCallOnce(t *testing.T) {
	t.Parallel()
	for point, calls := range map[string]string{
		"after-intent:key.revoke": "1", "before-receipt:key.revoke": "1", "after-intent:dependent.update": "2", "before-receipt:dependent.update": "2",
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			program := built(t, shop.tampered)
			turn(t)
			s, h := openStage(t, program)
			fault := []string{killAt + "=" + point, killWhen + "=" + calls, killMark + "=" + filepath.Join(h.dir, "killed")}
			set := time.Now().Unix() // not before the stage's secrets were: GitHub tells versions apart by the second
			h.start(t, fault...)
			h.signIn(t)
			eventually(t, 2*time.Second, func() error {
				if time.Now().Unix() == set {
					return errors.New("the second has not turned")
				}
				return nil
			})
			h.webhook(t, s.GitHubURL, s.AlertNumber)
			replace, revoke := s.signReplacement(t), ""
			if point == "after-intent:key.revoke" || point == "before-receipt:key.revoke" {
				revoke = s.signRevocation(t, replace)
			}
			h.serve.wait(t, 20*time.Second)
			h.start(t, fault...)
			if revoke == "" {
				revoke = s.signRevocation(t, replace)
			}
			h.finished(t, 40*time.Second)
			h.serve.end(t)
			rightly(t, s.World.Entries(), replace, revoke)
		})
	}
}
