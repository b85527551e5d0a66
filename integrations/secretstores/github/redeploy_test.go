package github_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestRedeployRestartsWithWhatIsStoredAndWritesNothing(t *testing.T) {
	t.Parallel()
	r, stored := open(t), value(t)
	r.hub.SetSecret("acme", "shop", "", "GEMINI_API_KEY", stored)
	deployed := ""
	r.hub.OnDeploy(func(d sandbox.GitHubDeploy) error { deployed = d.Secrets["GEMINI_API_KEY"]; return nil })
	d := dependent()
	d.Redeploy = map[string]string{"workflow": "deploy.yml", "ref": "main"}
	if _, err := r.store.Redeploy(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	if deployed != stored {
		t.Error("the stored value was not deployed")
	}
	for _, e := range r.world.Entries() {
		if e.Method == http.MethodPut {
			t.Errorf("%s %s wrote something", e.Method, e.Path)
		}
	}
}
