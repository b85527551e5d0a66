package sandbox

import (
	"encoding/json"
	"strconv"
)

// clone copies JSON.
func clone(o map[string]any) map[string]any {
	raw, _ := json.Marshal(o) // it came from JSON
	var out map[string]any
	_ = json.Unmarshal(raw, &out)
	return out
}

// mergePatch is RFC 7386: null takes away, objects merge, everything else replaces.
func mergePatch(target, patch any) any {
	change, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	into, _ := target.(map[string]any)
	if into == nil {
		into = map[string]any{}
	}
	for name, v := range change {
		if v == nil {
			delete(into, name)
		} else {
			into[name] = mergePatch(into[name], v)
		}
	}
	return into
}

// shown is an object as the server shows it, with the status that its controller would have written by now: first nothing,
// then some pods of the new template, then all of them.
func (k *Kubernetes) shown(at string, o map[string]any) map[string]any {
	out := clone(o)
	pods, workload := out["pods"].(float64)
	if !workload {
		return out
	}
	delete(out, "pods")
	want := int(pods)
	generation, updated, phase := number(out["metadata"].(map[string]any)["generation"]), want, 3
	if began, rolls := k.rolling[at]; rolls && k.rollout > 0 {
		phase = min(int(3*k.w.Now().Sub(began)/k.rollout), 3)
		updated = want * phase / 3
	}
	if spec := out["spec"].(map[string]any); spec["paused"] == true {
		updated = 0 // it takes a change and does nothing
	}
	seen, unready, revision := generation, 0, "new"
	if phase == 0 {
		seen = generation - 1
	}
	if phase < 3 {
		unready, revision = 1, "old"
	}
	switch out["kind"] {
	case "DaemonSet":
		out["status"] = map[string]any{"observedGeneration": seen, "desiredNumberScheduled": want, "currentNumberScheduled": want,
			"updatedNumberScheduled": updated, "numberReady": want - unready, "numberAvailable": want - unready, "numberMisscheduled": 0}
	case "StatefulSet":
		out["status"] = map[string]any{"observedGeneration": seen, "replicas": want, "readyReplicas": want - unready, "availableReplicas": want - unready,
			"updatedReplicas": updated, "currentRevision": revision, "updateRevision": "new"}
	default:
		out["status"] = map[string]any{"observedGeneration": seen, "replicas": want + unready, "readyReplicas": want - unready,
			"availableReplicas": want - unready, "updatedReplicas": updated}
	}
	return out
}

func number(v any) int {
	switch n := v.(type) {
	case float64:
		return int(n)
	case int:
		return n
	case string:
		i, _ := strconv.Atoi(n)
		return i
	}
	return 0
}
