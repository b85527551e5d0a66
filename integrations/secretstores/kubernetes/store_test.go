package kubernetes_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/kubernetes"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores/storetest"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
)

func at(t *testing.T, kubeconfig string) *kubernetes.Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := kubernetes.New([]kubernetes.Cluster{{Name: "prod", Kubeconfig: file}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type room struct {
	world *sandbox.World
	kube  *sandbox.Kubernetes
	late  *atomic.Int64 // seconds that the world is ahead
	store *kubernetes.Store
	storetest.Bench
}

func open(t *testing.T) room {
	t.Helper()
	late := &atomic.Int64{}
	start := time.Date(2026, 3, 4, 3, 12, 0, 0, time.UTC)
	w := sandbox.NewWorld(sandbox.Options{Now: func() time.Time { return start.Add(time.Duration(late.Load()) * time.Second) }})
	k := w.Kubernetes(30 * time.Second)
	srv := httptest.NewUnstartedServer(k)
	srv.TLS = k.TLS()
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s := at(t, k.Kubeconfig(srv.URL))
	return room{w, k, late, s, storetest.Bench{
		Store: s,
		Dependent: incident.Dependent{
			ID: "shop", Kind: kubernetes.Kind, Address: map[string]string{"namespace": "shop", "name": "model", "key": "api-key"},
			Redeploy: map[string]string{"deployment": "web"},
		},
		Write: func(v string) {
			k.SetSecret("shop", "model", false, map[string]string{"api-key": v, "other": "stays"})
		},
		Read: func() string { got, _ := k.Secret("shop", "model", "api-key"); return got },
	}}
}

func TestAFieldIsWrittenSeenAndPutBackAndItsNeighboursStay(t *testing.T) {
	t.Parallel()
	r := open(t)
	storetest.Round(t, r.Bench)
	if other, _ := r.kube.Secret("shop", "model", "other"); other != "stays" {
		t.Errorf("the other field is %q", other)
	}
}

func TestWhatSomebodyElseWroteIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	r := open(t)
	storetest.Moved(t, r.Bench)
	c := storetest.Change(t, r.Bench, storetest.Value(t))
	c.Over = nil
	if _, err := r.Store.Update(t.Context(), r.Dependent, c); err == nil {
		t.Error("a write without a version was sent")
	}
}

func TestAFieldThatWasNotThereIsTakenAwayAgain(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.kube.SetSecret("shop", "model", false, map[string]string{"other": "stays"})
	st, err := r.Store.State(t.Context(), r.Dependent)
	if err != nil || st.Undo == nil {
		t.Fatalf("%+v %v", st, err)
	}
	if _, err := r.Store.Update(t.Context(), r.Dependent, storetest.Change(t, r.Bench, storetest.Value(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Store.Restore(t.Context(), r.Dependent, st.Undo, nil, storetest.Change(t, r.Bench, "")); err != nil {
		t.Fatal(err)
	}
	if _, there := r.kube.Secret("shop", "model", "api-key"); there {
		t.Error("the field is still there")
	}
	if _, err := r.Store.Restore(t.Context(), r.Dependent, []byte(`{"sealed":true}`), nil, storetest.Change(t, r.Bench, "")); !keys.IsPermanent(err) {
		t.Errorf("a lost value was put back: %v", err)
	}
}

func TestAnImmutableSecretIsSaidBeforehand(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.kube.SetSecret("shop", "model", true, map[string]string{"api-key": storetest.Value(t)})
	if _, err := r.Store.State(t.Context(), r.Dependent); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "immutable") {
		t.Errorf("%v", err)
	}
}

func TestARolloutIsHealthyWhenItIsComplete(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{"deployments", "statefulsets", "daemonsets"} {
		r := open(t)
		r.kube.AddWorkload(resource, "shop", "web", 3, false)
		r.Write("x")
		r.Dependent.Redeploy = map[string]string{strings.TrimSuffix(resource, "s"): "web"}
		started := 0
		r.kube.OnRollout(func(sandbox.KubernetesRollout) error { started++; return nil })
		healthy := func() bool {
			h, err := r.store.Deployed(t.Context(), r.Dependent, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			return h.Healthy
		}
		if healthy() {
			t.Errorf("%s: a workload that was never restarted is healthy", resource)
		}
		c := storetest.Change(t, r.Bench, "y")
		for range 2 {
			if _, err := r.store.Deploy(t.Context(), r.Dependent, c); err != nil {
				t.Fatal(err)
			}
		}
		if started != 1 {
			t.Errorf("%s: a repeat with the same time restarted it %d times", resource, started)
		}
		for _, at := range []int64{0, 12, 25} {
			if r.late.Store(at); healthy() {
				t.Errorf("%s: healthy after %d of 30 seconds", resource, at)
			}
		}
		if r.late.Store(31); !healthy() {
			t.Errorf("%s: not healthy when complete", resource)
		}
	}
}

func TestAPausedDeploymentIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.kube.AddWorkload("deployments", "shop", "web", 3, true)
	if err := r.store.Deployable(t.Context(), r.Dependent); !keys.IsPermanent(err) || !strings.Contains(err.Error(), "paused") {
		t.Errorf("%v", err)
	}
	if _, err := r.store.Deploy(t.Context(), r.Dependent, storetest.Change(t, withSecret(r), "y")); err == nil {
		t.Error("a paused deployment was restarted")
	}
	for _, redeploy := range []map[string]string{{"deployment": "gone"}, {"deployment": "../x"}, {"deployment": "web", "cluster": "other"}, {"job": "x"}} {
		r.Dependent.Redeploy = redeploy
		if err := r.store.Deployable(t.Context(), r.Dependent); !keys.IsPermanent(err) {
			t.Errorf("%v: %v", redeploy, err)
		}
	}
}

func withSecret(r room) storetest.Bench { r.Write("x"); return r.Bench }

func TestAddressesThatCannotBeAreRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	r := open(t)
	storetest.Misnamed(t, r.Bench, func() int { return len(r.world.Entries()) },
		map[string]string{"namespace": ""}, map[string]string{"name": "../secrets"}, map[string]string{"key": "a/b"}, map[string]string{"cluster": "other"})
	for _, c := range []kubernetes.Cluster{{Name: "x", Kubeconfig: filepath.Join(t.TempDir(), "none")}, {Name: "x"}} {
		if _, err := kubernetes.New([]kubernetes.Cluster{c}); err == nil || !strings.Contains(err.Error(), `"x"`) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := r.Store.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}
