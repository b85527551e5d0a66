package workflows_test

import (
	"context"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// recording is one run whose history is kept, so that later releases can be held to it.
type recording struct {
	name    string
	outcome string // "": it is recorded while it waits
	set     func(*drive)
	disturb func(ctx context.Context, r *recorder, d *drive, run string) (goesOn string, err error)
}

// drilled are the drills whose runs are kept: each shipped playbook that a drill answers with, and the way back.
func drilled() []string {
	return []string{"gemini-leak", "openai-leak", "false-alarm", "leaked-not-used", "bedrock-access-key", "azure-regenerate", "quiet-theft", "every-store"}
}

// soon is when the n-th person acts: after the run had the time to note that it asked.
func soon(n int) time.Duration { return time.Duration(n) * 700 * time.Millisecond }

func approved(step string, nth int) []*move {
	return []*move{approve(step, soon(1), "ana").again(nth), approve(step, soon(2), "bo").again(nth)}
}

// short is a playbook of these tests with times that one can wait for.
func short(src string) string {
	return strings.NewReplacer("within: 1h", "within: 30s", "within: 30m", "within: 30s").Replace(src)
}

const report = "finally:\n  - { id: report, uses: incident.report }\n"

// straight has one of everything that needs nobody.
const straight = `
  - { id: contain, uses: key.contain, with: { key: "${{ key }}" } }
  - { id: usage, uses: usage.snapshot, with: { key: "${{ key }}", since: "${{ alert.observed_at }}" }, retry: { attempts: 3, first: 1s } }
  - { id: skipped, if: key.critical, uses: incident.update, with: { text: "critical" } }
  - { id: rest, wait: 1s }
  - { id: told, uses: incident.update, with: { text: "${{ steps.skipped.status }}" }, retry: { attempts: 1 }, on_error: continue }
  - { id: gone, uses: key.probe, with: { key: "${{ key }}" }, until: "result.state == 'refused'", every: 1s, within: 1m }
  - id: both
    parallel:
      - { id: scan, uses: persistence.scan, with: { key: "${{ key }}", since: "${{ now() }}" } }
      - id: more
        steps:
          - { id: one, wait: 1s }
          - { id: two, uses: incident.update, with: { text: two } }
  - id: each
    for_each: ${{ key.dependents }}
    as: dependent
    at_once: 2
    steps:
      - { id: check, uses: dependent.check, with: { dependent: "${{ dependent }}" } }
`

// subs runs another playbook, which asks on its own account.
const subs = "  - { id: inner, playbook: other, with: { say: hello } }\n"

func other() map[string][]byte {
	return map[string][]byte{"other": []byte(`schema: tourniquet/v1
id: other
title: o
inputs: { say: { type: string, required: true } }
vars: { twice: "${{ inputs.say + inputs.say }}" }
steps:
  - { id: tell, uses: incident.update, with: { text: "${{ vars.twice }}" } }
  - { id: revoke, uses: key.revoke, with: { key: "${{ key }}" }, signoff: { by: [{ group: secops, count: 2 }], within: 30s } }
  - { id: dead, uses: key.probe, with: { key: "${{ key }}" } }
finally:
  - { id: report, uses: incident.report }
`)}
}

// recordings are runs of every kind of step, and of every way in which a sign-off ends.
func recordings() []recording {
	return []recording{
		{name: "straight", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(playbook(straight+probeStep) + report)
			d.house.fakes["usage.snapshot"] = once(broken("slow down"))
			d.house.fakes["step:told"] = failing("no such ticket")
			d.house.fakes["step:gone"] = twice("working", "refused")
		}},
		{name: "observed", outcome: incident.OutcomeStopped, set: func(d *drive) {
			d.compile(playbook(straight+probeStep+"  - { id: over, end: stopped }\n") + report)
			d.start.Run.Mode = incident.ModeObserve
		}},
		{name: "signoff-approved", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(short(signed(", escalate: [{ after: 1s, to: secops_lead }]"))).act(
				approve("revoke", soon(1), "kim").refused(signoff.ExcludedCode), approve("revoke", soon(2), "ana"),
				approve("revoke", soon(3), "ana").refused(signoff.AlreadyCounted), approve("revoke", soon(4), "bo"))
		}},
		{name: "signoff-rejected", outcome: incident.OutcomeStopped, set: func(d *drive) {
			d.compile(short(signed(""))+report).act(approve("revoke", soon(1), "ana"), reject("revoke", soon(2), "bo"))
		}},
		{name: "signoff-expired", outcome: incident.OutcomeStopped, set: func(d *drive) {
			d.compile(strings.Replace(signed(""), "within: 1h", "within: 2s", 1) + report).act(approve("revoke", soon(1), "ana"))
		}},
		{name: "signoff-declined", outcome: incident.OutcomeStopped, set: func(d *drive) {
			d.compile(strings.Replace(signed(", otherwise: skip"), "within: 1h", "within: 2s", 1))
		}},
		{name: "signoff-asked-anew", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(short(group())).act(approved("replace", 1)...).act(approved("replace", 2)...)
			d.house.fakes["step:replace/rotate[1]/hand_over"] = once(refused(wire.ErrDrifted, "somebody changed it"))
		}},
		{name: "signoff-people-left", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(short(signed(""))).act(approved("revoke", 1)...).act(approved("revoke", 2)...)
			d.house.people = func(nth int) (string, error) {
				return map[int]string{1: "ana approved, but since then: is no longer a member"}[nth], nil
			}
		}},
		{name: "signoff-by-policy", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(playbook(containStep + probeStep)).act(approve("contain", soon(1), "ana"))
			d.house.auto = false
		}},
		{name: "signoff-raised", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(playbook(containStep + probeStep))
			d.start.Run.Trust, d.start.Alert.Severity, d.house.auto = incident.TrustTell, "medium", false
		}, disturb: raise},
		{name: "signoff-renewed", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(short(signed(""))).act(approve("revoke", soon(1), "ana")).act(approved("revoke", 2)...)
		}, disturb: restore},
		{name: "signoff-cancelled", outcome: incident.OutcomeCancelled, set: func(d *drive) {
			d.compile(short(signed("")) + report).act(approve("revoke", soon(1), "ana"))
		}, disturb: cancel},
		{name: "signoff-open", set: func(d *drive) { d.compile(signed("")).act(approve("revoke", soon(1), "ana")) }},
		{name: "answer-lost", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(short(signed(""))).act(approved("revoke", 1)...)
			d.house.fakes["key.revoke"] = once(broken("the worker died"))
		}},
		{name: "parked-retried", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(each("    at_once: 2\n", checkStep)).act(answer("all[0]/check", soon(1), "ana", "Retry"))
			d.house.fakes["step:all[0]/check"] = once(broken("down"))
		}},
		{name: "parked-stopped", outcome: incident.OutcomeStopped, set: func(d *drive) {
			d.compile(each("", checkStep)).act(answer("all[0]/check", soon(1), "ana", "Stop"))
			d.house.fakes["step:all[0]/check"] = once(broken("down"))
		}},
		{name: "parked-open", set: func(d *drive) {
			d.compile(each("    at_once: 2\n", checkStep))
			d.house.fakes["step:all[0]/check"] = failing("down")
		}},
		{name: "question-answered", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(short(triage(form+probeStep))).act(answer("triage", soon(1), "lee", "abuse").refused(signoff.NotEligible),
				answer("triage", soon(2), "ana", "legitimate"), answer("facts", soon(1), "ana", `{"story":"load test","calls":41,"sure":true}`))
		}},
		{name: "question-unanswered", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(strings.Replace(triage(tellTriage+probeStep), "within: 30m", "within: 2s", 1))
		}},
		{name: "false-alarm", outcome: incident.OutcomeFalseAlarm, set: func(d *drive) {
			d.compile(short(playbook(alarm))).act(answer("triage", soon(1), "ana", "legitimate")).act(approved("undo", 1)...)
		}},
		{name: "undo-rejected", outcome: incident.OutcomeStopped, set: func(d *drive) {
			d.compile(short(playbook(alarm))).act(answer("triage", soon(1), "ana", "legitimate"), reject("undo", soon(1), "bo"))
		}},
		{name: "sub-playbook", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.others = other()
			d.compile(playbook(subs + probeStep)).act(approved("inner/revoke", 1)...)
		}},
		{name: "key-chosen", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(playbook(probeStep)).act(answer("identify", soon(1), "ana", "gemini:demo:k1"))
			d.house.fakes["key.identify"] = func(c wire.Call) (wire.Result, error) {
				if c.With["choose"] == nil {
					return result("several", []any{"gemini:demo:k1", "gemini:demo:k2"}), nil
				}
				return result("key", testKey()), nil
			}
		}},
		{name: "joined", outcome: incident.OutcomeJoined, set: func(d *drive) {
			d.compile(playbook(probeStep) + report)
			d.house.fakes["key.identify"] = func(wire.Call) (wire.Result, error) { return result("joined", "inc-0"), nil }
		}},
		{name: "failed", outcome: incident.OutcomeFailed, set: func(d *drive) {
			d.compile(playbook("  - { id: over, end: failed }\n") + "on_failure:\n  - { id: page, uses: people.page, with: { group: secops, text: x } }\n" + report)
		}},
		{name: "alert-unread-at-the-end", outcome: incident.OutcomeContained, set: func(d *drive) {
			d.compile(playbook(probeStep) + report)
			again := true
			d.house.closing = func(wire.Close) wire.Closed { defer func() { again = false }(); return wire.Closed{Again: again} }
		}},
		{name: "reset", outcome: incident.OutcomeStopped, set: func(d *drive) {
			d.compile(signed("")).act(answer("reset_guard", soon(1), "ana", "Stop"))
		}, disturb: reset},
	}
}

// twice gives one state and then the other.
func twice(first, then string) fake {
	state := first
	return func(wire.Call) (wire.Result, error) {
		defer func() { state = then }()
		return result("state", state, "summary", state), nil
	}
}

// raise tells the run of a later alert by a source that may act, once it waits.
func raise(ctx context.Context, r *recorder, d *drive, run string) (string, error) {
	r.resting(ctx, run)
	d.house.mu.Lock()
	d.house.auto = true
	d.house.mu.Unlock()
	return run, r.client.SignalWorkflow(ctx, workflowID, run, wire.SignalAlerts,
		[]map[string]any{{"id": "a2", "trust": incident.TrustAct, "kind": incident.KindKeyLeaked, "severity": "critical"}})
}

func cancel(ctx context.Context, r *recorder, _ *drive, run string) (string, error) {
	r.resting(ctx, run)
	return run, r.client.CancelWorkflow(ctx, workflowID, run)
}

// restore tells the run that our records came out of a backup, while one of two people has approved.
func restore(ctx context.Context, r *recorder, _ *drive, run string) (string, error) {
	r.resting(ctx, run)
	return run, r.client.SignalWorkflow(ctx, workflowID, run, wire.SignalRestored, time.Now())
}
