package playbooks_test

import (
	"strings"

	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// fields reads "name type!" pairs; "!" marks required inputs and outputs that are always there.
func fields(spec string) []playbooks.Field {
	var out []playbooks.Field
	for _, word := range strings.Fields(spec) {
		name, kind, _ := strings.Cut(word, ":")
		out = append(out, playbooks.Field{Name: name, Type: strings.TrimSuffix(kind, "!"), Required: strings.HasSuffix(kind, "!")})
	}
	return out
}

// catalog is the set of actions that the shipped playbooks use, as their cards declare them.
func catalog() playbooks.Catalog {
	c := playbooks.Catalog{}
	add := func(name, effect, in, out string) {
		target := ""
		for _, f := range fields(in) {
			if target == "" && (f.Name == "key" || f.Name == "dependent") {
				target = f.Name
			}
		}
		c[name] = playbooks.Card{Name: name, Effect: effect, Inputs: fields(in), Outputs: fields(out), Timeout: "30s", Attempts: 3, TargetInput: target}
	}
	add("key.identify", "observe", "", "key:key!")
	add("key.contain", "undoable", "key:key!", "summary:string! measure:string! reach:string! contained_at:time!")
	add("key.restore", "final", "key:key!", "summary:string!")
	add("key.probe", "observe", "key:key!", "state:string! summary:string!")
	add("key.revoke", "final", "key:key!", "summary:string!")
	add("key.create", "undoable", "like:key!", "key:key! summary:string")
	add("usage.snapshot", "observe", "key:key! since:time!", "requests:int tokens:int cost_usd:float cost_basis:string new_addresses:strings first_abuse:time evidence:string")
	add("persistence.scan", "observe", "key:key! since:time", "found:int! items:strings! summary:string!")
	add("sessions.revoke", "undoable", "key:key!", "summary:string!")
	add("sessions.restore", "final", "key:key! step:string", "summary:string!")
	add("project.stop", "undoable", "provider:string! account:string!", "summary:string! measure:string! reach:string! stopped_at:time!")
	add("project.probe", "observe", "provider:string! account:string!", "state:string! summary:string!")
	add("project.start", "final", "step:string!", "summary:string!")
	add("dependent.update", "final", "dependent:dependent! key:key!", "summary:string request:string")
	add("dependent.check", "observe", "dependent:dependent! key:key", "healthy:bool! detail:string!")
	add("incident.open", "notify", "title:string! text:string", "id:string url:string")
	add("incident.update", "notify", "text:string!", "")
	add("incident.close", "notify", "summary:string! resolution:string", "")
	add("incident.report", "notify", "", "evidence:string digest:string")
	add("owners.notify", "notify", "key:key! text:string!", "")
	add("people.page", "notify", "group:string! text:string!", "")
	revoke := c["key.revoke"]
	revoke.After = []string{"key.contain", "key.restore"}
	c["key.revoke"] = revoke
	update := c["dependent.update"]
	update.Reads = []string{"key"}
	c["dependent.update"] = update
	return c
}

func world() playbooks.World {
	return playbooks.World{
		Actions: catalog(), Offers: map[string]map[string]playbooks.Offer{
			"anthropic": {"key.create": {ByHand: "Anthropic's console", Why: "there is no call for it"}},
			"gemini":    {"key.create": {Can: true}}, "mistral": {"key.create": {Why: "there is no call for it"}},
		},
		Groups: map[string]int{"secops": 3, "secops_lead": 1, "guests": -1},
		Playbooks: map[string][]byte{
			"quiet":     []byte("schema: tourniquet/v1\nid: quiet\ntitle: t\ninputs: { why: { type: string, required: true } }\nsteps:\n  - id: tell\n    uses: incident.update\n    with: { text: \"${{ inputs.why }}\" }\n"),
			"needs-key": []byte("schema: tourniquet/v1\nid: needs-key\ntitle: t\nsteps:\n  - { id: look, uses: key.probe, with: { key: \"${{ key }}\" } }\n"),
			"loop-a":    []byte("schema: tourniquet/v1\nid: loop-a\ntitle: t\nsteps:\n  - { id: again, playbook: loop-b }\n"),
			"loop-b":    []byte("schema: tourniquet/v1\nid: loop-b\ntitle: t\nsteps:\n  - { id: again, playbook: loop-a }\n"),
		},
	}
}
