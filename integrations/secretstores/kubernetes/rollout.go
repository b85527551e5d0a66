package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/integrations/secretstores"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// restartedAt is kubectl's own annotation, so that kubectl and people understand what happened.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

// workload is what redeploy (or a check) names: deployment, statefulset or daemonset, and namespace and cluster where they
// are not those of the Secret.
type workload struct {
	target
	in cluster
}

func (s *Store) workload(d incident.Dependent, m map[string]string) (workload, error) {
	w := workload{target: target{namespace: cmp.Or(m["namespace"], d.Address["namespace"])}}
	if d.Kind != Kind { // Vault has namespaces of its own
		w.namespace = m["namespace"]
	}
	for _, kind := range []string{"deployment", "statefulset", "daemonset"} {
		if m[kind] != "" {
			w.resource, w.name = kind+"s", m[kind]
		}
	}
	if w.resource == "" {
		return workload{}, keys.Permanent(fmt.Errorf("dependent %q: a rollout needs \"deployment\", \"statefulset\" or \"daemonset\"", d.ID))
	}
	if err := named(d, w.namespace, w.name); err != nil {
		return workload{}, err
	}
	var err error
	w.in, err = s.cluster(d, cmp.Or(m["cluster"], d.Address["cluster"]))
	return w, err
}

// Deploys implements secretstores.Deployer.
func (s *Store) Deploys() string { return secretstores.DeployRollout }

// Deployable implements secretstores.Deployer. A paused deployment takes the patch without a word and restarts nothing.
func (s *Store) Deployable(ctx context.Context, d incident.Dependent) error {
	w, err := s.workload(d, d.Redeploy)
	if err != nil {
		return err
	}
	got, err := w.read(ctx)
	if err == nil && got.paused {
		return keys.Permanent(fmt.Errorf("%s is paused, so it would not restart: resume it, or restart it by hand afterwards and take redeploy out", w))
	}
	return err
}

// Deploy implements secretstores.Deployer. A repeat carries the same time, so it changes nothing.
func (s *Store) Deploy(ctx context.Context, d incident.Dependent, c secretstores.Change) (string, error) {
	if err := s.Deployable(ctx, d); err != nil {
		return "", err
	}
	w, err := s.workload(d, d.Redeploy)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{restartedAt: c.At.UTC().Format(time.RFC3339)},
	}}}})
	if err != nil {
		return "", err
	}
	switch w.resource {
	case "deployments":
		_, err = patch(ctx, w.in.apps, w.target, body, &appsv1.Deployment{})
	case "statefulsets":
		_, err = patch(ctx, w.in.apps, w.target, body, &appsv1.StatefulSet{})
	default:
		_, err = patch(ctx, w.in.apps, w.target, body, &appsv1.DaemonSet{})
	}
	return "rollout:" + w.name, err
}

// progress is what the three kinds of workload have in common.
type progress struct {
	seen, current           int64 // generation observed by the controller, and asked for
	want, updated, ready    int32
	extra                   int32 // pods of an older template that still run
	paused, stuck, restarts bool
}

func (w workload) read(ctx context.Context) (p progress, err error) {
	switch w.resource {
	case "deployments":
		var got *appsv1.Deployment
		if got, err = get(ctx, w.in.apps, w.target, &appsv1.Deployment{}); err != nil {
			return p, err
		}
		st := got.Status
		p = progress{seen: st.ObservedGeneration, current: got.Generation, want: replicas(got.Spec.Replicas), updated: st.UpdatedReplicas,
			ready: st.AvailableReplicas, extra: st.Replicas - st.UpdatedReplicas, paused: got.Spec.Paused}
		for _, c := range st.Conditions {
			p.stuck = p.stuck || c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded"
		}
		p.restarts = got.Spec.Template.Annotations[restartedAt] != ""
	case "statefulsets":
		var got *appsv1.StatefulSet
		if got, err = get(ctx, w.in.apps, w.target, &appsv1.StatefulSet{}); err != nil {
			return p, err
		}
		st := got.Status
		p = progress{seen: st.ObservedGeneration, current: got.Generation, want: replicas(got.Spec.Replicas), updated: st.UpdatedReplicas, ready: st.ReadyReplicas}
		if st.UpdateRevision != st.CurrentRevision {
			p.extra = max(st.Replicas-st.UpdatedReplicas, 1)
		}
		p.restarts = got.Spec.Template.Annotations[restartedAt] != ""
	default:
		var got *appsv1.DaemonSet
		if got, err = get(ctx, w.in.apps, w.target, &appsv1.DaemonSet{}); err != nil {
			return p, err
		}
		st := got.Status
		p = progress{seen: st.ObservedGeneration, current: got.Generation, want: st.DesiredNumberScheduled, updated: st.UpdatedNumberScheduled, ready: st.NumberAvailable}
		p.restarts = got.Spec.Template.Annotations[restartedAt] != ""
	}
	return p, nil
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// Deployed implements secretstores.Deployer: complete means that the controller has seen the change, every pod has the
// newest template, every one is available, and no older one is left. A Secret does not tell when it was written, so since
// is not compared: the restart is part of the update.
func (s *Store) Deployed(ctx context.Context, d incident.Dependent, _ time.Time) (secretstores.Health, error) {
	m := d.Redeploy
	if secretstores.DeployKind(incident.Dependent{Redeploy: d.Check}) == secretstores.DeployRollout {
		m = d.Check
	}
	w, err := s.workload(d, m)
	if err != nil {
		return secretstores.Health{}, err
	}
	p, err := w.read(ctx)
	if err != nil {
		return secretstores.Health{}, err
	}
	detail := fmt.Sprintf("%s: %d of %d pods have the newest template, %d are available", w, p.updated, p.want, p.ready)
	switch {
	case !p.restarts:
		return secretstores.Health{Detail: w.String() + " was never restarted, so its pods may hold the old value"}, nil
	case p.paused:
		return secretstores.Health{Detail: w.String() + " is paused"}, nil
	case p.stuck:
		return secretstores.Health{Detail: detail + "; its rollout exceeded its deadline"}, nil
	case p.seen < p.current:
		return secretstores.Health{Detail: w.String() + ": the controller has not seen the restart yet"}, nil
	}
	return secretstores.Health{Healthy: p.updated == p.want && p.ready == p.want && p.extra <= 0, Detail: detail}, nil
}
