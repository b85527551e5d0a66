package playbooks

// rules are the checks over the whole playbook, after reading. The rules that concern one YAML node are called where
// it is read; each rule stands in its own file either way.
func rules() []func(*sheet) {
	return []func(*sheet){
		ruleAction, ruleInputs, ruleLoopList,
		ruleReferences, ruleWholeStep, ruleAbsent, ruleOptional, ruleSkipSafe,
		ruleFinalSignoff, ruleSignedGroup, ruleKnownTarget, ruleSignedLoop,
		ruleSections, ruleEndPlace, ruleFalseAlarm, ruleUnreachable,
		ruleRepetition, ruleRepeatedEffect, ruleEvents,
		ruleEvidence, ruleProbe, ruleQuorum,
	}
}
