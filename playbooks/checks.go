package playbooks

// checks are those that look at the whole playbook, after reading. Those that concern one YAML node are called where it is
// read; each stands in a file of its own either way, and has its line in Rules.
func checks() []func(*sheet) {
	return []func(*sheet){
		ruleAction, ruleInputs, ruleLoopList,
		ruleReferences, ruleWholeStep, ruleAbsent, ruleOptional, ruleSkipSafe,
		ruleFinalSignoff, ruleSignoffOfNothing, ruleSignedGroup, ruleKnownTarget, ruleSignedLoop, ruleSameTarget,
		ruleSections, ruleEndPlace, ruleFalseAlarm, ruleUnreachable,
		ruleRepetition, ruleRepeatedEffect, ruleEvents,
		ruleEvidence, ruleProbe, ruleQuorum, ruleOffers,
	}
}
