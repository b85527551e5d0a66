package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func TestTheAttackerIsBilledByTheWorldUntilTheKeyIsDead(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	world := sandbox.NewWorld(sandbox.Options{Log: &log, RevocationDelay: 100 * time.Millisecond})
	server := httptest.NewServer(world.Google())
	defer server.Close()
	key := world.NewGeminiKey(sandbox.GeminiKey{Project: "acme", Name: "shop"})
	paid, refused := make(chan sandbox.Entry, 1000), make(chan sandbox.Entry, 1000)
	world.Subscribe(func(e sandbox.Entry) {
		switch {
		case e.Effect == sandbox.EffectAbuse:
			paid <- e
		case e.Actor == sandbox.ActorAttacker && e.Status == http.StatusBadRequest:
			refused <- e
		}
	})
	app := sandbox.NewDependent("shop", nil, sandbox.GeminiCall, server.URL, key.Secret())
	thief := sandbox.NewAttacker(nil, sandbox.AttackerOptions{Call: sandbox.GeminiCall, URL: server.URL, Secret: key.Secret(), Every: 10 * time.Millisecond, RetryEvery: 10 * time.Millisecond})
	thief.Start()
	defer thief.Stop()
	if first := receive(t, paid); first.USD < 0.0046 || first.USD > 0.0048 || first.Key != key.ID {
		t.Fatalf("a call every 10 ms at 28 dollars a minute costs 0.0047 dollars, billed %+v", first)
	}
	if err := app.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	remove(t, world, server.URL, "acme", key.ID)
	receive(t, refused)
	if err := app.Healthy(t.Context()); err == nil {
		t.Fatal("the application works with a deleted key")
	}
	thief.Stop()
	spent := world.Spent(sandbox.ActorAttacker)
	var sum float64
	for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
		var e sandbox.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Actor == sandbox.ActorAttacker {
			sum += e.USD
		}
	}
	if d := spent - sum; d > 1e-9 || d < -1e-9 || spent == 0 {
		t.Fatalf("the log adds up to %v, the world says %v", sum, spent)
	}
	if strings.Contains(log.String(), key.Secret()) {
		t.Fatal("the world log holds the key's value")
	}
}

func receive(t *testing.T, from <-chan sandbox.Entry) sandbox.Entry {
	t.Helper()
	select {
	case e := <-from:
		return e
	case <-time.After(5 * time.Second):
		t.Fatal("nothing happened in the world")
		return sandbox.Entry{}
	}
}

func remove(t *testing.T, world *sandbox.World, base, project, id string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, base+"/v2/projects/"+project+"/locations/global/keys/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+world.AdminToken())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the deletion answered %d", response.StatusCode)
	}
}
