package main

// table is every mutation, by playbook.
func table() []mutation {
	const policy = "policy asks for two people anyway: a playbook may ask for more, never for less"
	return []mutation{
		{playbook: "llmjacking", name: "the sign-off of revoke is dropped", change: unsign("revoke")},
		{playbook: "llmjacking", name: "the sign-off of replace is dropped", change: unsign("replace")},
		{playbook: "llmjacking", name: "the quorum of revoke is lowered to one", change: swap("revoke", "count: 2", "count: 1"), lives: policy},
		{playbook: "llmjacking", name: "the owner's seat in replace is dropped", change: swap("replace", "        - { seat: key_owner, count: 1, else: secops_lead }\n", "")},
		{playbook: "llmjacking", name: "the condition of false_alarm is inverted", change: swap("false_alarm", "==", "!=")},
		{playbook: "llmjacking", name: "silence at triage counts as legitimate", change: swap("triage", "otherwise: abuse", "otherwise: legitimate")},
		{playbook: "llmjacking", name: "revoke comes before replace", change: move("replace", "revoke")},
		{playbook: "llmjacking", name: "an unsigned revoke is skipped instead of stopping", change: swap("revoke", "otherwise: stop", "otherwise: skip")},
		{playbook: "llmjacking", name: "people get four minutes for revoke instead of four hours", change: swap("revoke", "within: 4h", "within: 4m")},
		{playbook: "llmjacking", name: "the trigger's severity is inverted", change: swap("", `!= "low"`, `== "low"`)},
		{playbook: "llmjacking", name: "unreadable usage stops the run", change: swap("usage", "on_error: continue", "on_error: stop")},
		{playbook: "llmjacking", name: "the proof waits for the key to work", change: swap("dead", `== "refused"`, `== "working"`)},
		{playbook: "llmjacking", name: "the key is never contained", change: drop("contain")},
		{playbook: "llmjacking", name: "sessions are never ended", change: drop("sessions")},

		{playbook: "llmjacking", name: "the sign-off of account_on is dropped", change: unsign("account_on")},
		{playbook: "llmjacking", name: "whatever is no false alarm is closed as one", change: swap("stand_down", `== "false_alarm"`, `!= "false_alarm"`)},

		{playbook: "leaked-not-used", name: "the old key is taken away before the new one is made", change: move("replace", "take_away")},
		{playbook: "leaked-not-used", name: "the condition of abused is inverted", change: swap("abused", "> 0", "== 0")},
		{playbook: "leaked-not-used", name: "nobody waits to see who misses the old key", change: swap("rest", "wait: 1h", "wait: 1s")},
		{playbook: "leaked-not-used", name: "dependents are not looked at again", change: drop("still_well")},
		{playbook: "leaked-not-used", name: "the sign-off of revoke is dropped", change: unsign("revoke")},

		{playbook: "spend-runaway", name: "silence at triage counts as expected", change: swap("triage", "otherwise: abuse", "otherwise: expected")},
		{playbook: "spend-runaway", name: "contain comes before triage", change: move("triage", "contain")},
		{playbook: "spend-runaway", name: "the condition of mended is inverted", change: swap("mended", "==", "!=")},
		{playbook: "spend-runaway", name: "expected spending ends as stopped", change: swap("expected", "end: false_alarm", "end: stopped")},
		{playbook: "spend-runaway", name: "replace needs one person instead of two", change: swap("replace", "count: 2", "count: 1"), lives: policy},

		{playbook: "bedrock-credential", name: "sessions end only after triage", change: func(src string) (string, error) {
			from, to, err := block(src, "sessions")
			if err != nil {
				return "", err
			}
			late := "  - id: sessions\n    uses: sessions.revoke\n    with: { key: \"${{ key }}\" }\n\n"
			rest := src[:from] + src[to:]
			_, at, err := block(rest, "false_alarm")
			if err != nil {
				return "", err
			}
			return swap("tell_owner", " ${{ steps.sessions.outputs.summary }}", "")(rest[:at] + late + rest[at:])
		}},
		{playbook: "bedrock-credential", name: "one phantom user is overlooked", change: swap("phantoms", "> 0", "> 1")},
		{playbook: "bedrock-credential", name: "the condition of hurry is inverted", change: swap("hurry", "==", "!=")},
		{playbook: "bedrock-credential", name: "the stand-in of the owner is dropped from replace", change: swap("replace", "        - { seat: key_owner, count: 1, else: secops_lead }\n", "")},
		{playbook: "bedrock-credential", name: "nobody looks again after the deletion", change: drop("again")},

		{playbook: "gemini-project-stop", name: "the sign-off of back_on is dropped", change: unsign("back_on")},
		{playbook: "gemini-project-stop", name: "an unsigned back_on stops the run", change: swap("back_on", "otherwise: skip", "otherwise: stop")},
		{playbook: "gemini-project-stop", name: "silence switches the project on again", change: swap("search", "otherwise: keep_off", "otherwise: key_stopped")},
		{playbook: "gemini-project-stop", name: "the condition of close_incident is inverted", change: swap("close_incident", "==", "!=")},

		{playbook: "unnamed-key", name: "the condition of page_lead is inverted", change: swap("page_lead", "!=", "==")},
		{playbook: "unnamed-key", name: "the end is dropped", change: drop("over")},
	}
}
