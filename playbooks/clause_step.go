package playbooks

// kinds of steps, in the order in which they are read about.
func kinds() []string {
	return []string{KindAction, KindGroup, KindParallel, KindLoop, KindAsk, KindWait, KindPlaybook, KindEnd}
}

// kindKey is the key that makes a step what it is.
func kindKey(kind string) string {
	switch kind {
	case KindAction:
		return "uses"
	case KindGroup:
		return "steps"
	case KindLoop:
		return "for_each"
	}
	return kind // parallel, ask, wait, playbook, end
}

// StepClause is the name of the clause of a kind of step.
func StepClause(kind string) string { return "step." + kind }

func stepClause(kind string) Clause {
	c := Clause{Name: StepClause(kind), Say: "a step with " + kindKey(kind), Doc: kindDoc(kind), Keys: []Key{
		{Name: "id", Is: IsID, Required: true, Doc: "Name of the step, unique in the file, in snake_case: a hyphen would be a minus in an expression."},
		{Name: "title", Is: IsText, Doc: "What the step is for, as the responder reads it."},
		{Name: "if", Is: IsCondition, Doc: "The step is skipped, with all that is in it, when this is false."},
	}}
	c.Keys = append(c.Keys, kindKeys(kind)...)
	return c
}

func kindDoc(kind string) string {
	return map[string]string{
		KindAction:   "Calls an action. Its outputs are the card's; see: tourniquet action show NAME.",
		KindGroup:    "Steps in order, as one: with a sign-off, people sign all of them together.",
		KindParallel: "Steps at the same time. No branch is cut off; the step is over when all have settled.",
		KindLoop:     "The same steps for each item of a list. The list is fixed before the first item.",
		KindAsk:      "A question to people: information, never permission. The first answer counts.",
		KindWait:     "A pause.",
		KindPlaybook: "Another playbook, built in when this one is compiled. Its output is outcome.",
		KindEnd:      "Ends the run. A false alarm undoes what is in force, under one sign-off.",
	}[kind]
}

func kindKeys(kind string) []Key {
	sign := Key{Name: "signoff", Is: IsClause, Of: "signoff", Doc: "People who must sign the exact calls before they are made."}
	steps := Key{Name: "steps", Is: IsSteps, Required: true, Doc: "The steps, in order."}
	with := Key{Name: "with", Is: IsValues, Doc: "The inputs."}
	switch kind {
	case KindAction:
		return append([]Key{{Name: "uses", Is: IsText, Required: true, Doc: "The action, as key.contain."}, with}, actionKeys(sign)...)
	case KindGroup:
		return []Key{sign, steps}
	case KindParallel:
		return []Key{{Name: "parallel", Is: IsSteps, Required: true, Doc: "The steps, all at once."}}
	case KindLoop:
		return []Key{
			{Name: "for_each", Is: IsList, Required: true, Doc: "The list, as ${{ key.dependents }}."},
			{Name: "as", Is: IsID, Required: true, Doc: "What an item is called inside."},
			{Name: "at_once", Is: IsInt, Min: 1, Max: 50, Default: "1", Doc: "How many items are worked on at the same time."},
			sign, steps,
		}
	case KindAsk:
		return []Key{{Name: "ask", Is: IsClause, Of: "ask", Required: true, Doc: "The question."}}
	case KindWait:
		return []Key{{Name: "wait", Is: IsDuration, Required: true, Doc: "How long, as 10m."}}
	case KindPlaybook:
		return []Key{{Name: "playbook", Is: IsName, Required: true, Doc: "The id of the other playbook."}, with}
	}
	return []Key{{Name: "end", Is: IsText, Required: true, Enum: []string{"contained", "false_alarm", "stopped", "failed"}, Doc: "The outcome. contained without proof that the key is refused becomes failed."}}
}

func actionKeys(sign Key) []Key {
	return []Key{
		{Name: "timeout", Is: IsDuration, Doc: "Longest time of one attempt. The default is on the card."},
		{Name: "retry", Is: IsClause, Of: "retry", Doc: "What is done about errors that may pass. Not for final actions and not beside until."},
		{Name: "until", Is: IsCondition, Doc: "Asks again at every until this holds of result. Only for actions that observe."},
		{Name: "every", Is: IsDuration, Doc: "Time between two looks of until."},
		{Name: "within", Is: IsDuration, Doc: "Longest time over all attempts."},
		{Name: "on_error", Is: IsText, Enum: []string{OnErrorAsk, OnErrorContinue, OnErrorStop}, Default: OnErrorAsk, Doc: "ask lets the responders choose Retry, Skip or Stop; continue goes on without outputs; stop ends the run."},
		sign,
	}
}

func retryClause() Clause {
	return Clause{Name: "retry", Say: "retry", Doc: "How errors are tried again. Defaults are on the card.", Keys: []Key{
		{Name: "attempts", Is: IsInt, Min: 1, Max: 100, Doc: "How often it is tried in all."},
		{Name: "first", Is: IsDuration, Default: "1s", Doc: "Time before the second attempt."},
		{Name: "factor", Is: IsInt, Min: 1, Max: 10, Default: "2", Doc: "By how much each pause is longer than the one before."},
		{Name: "max", Is: IsDuration, Default: "30s", Doc: "Longest pause."},
	}}
}

func signoffClause() Clause {
	return Clause{Name: "signoff", Say: "signoff", Doc: "Who must sign before a step or group is done. All seats of by must fill; one person fills one seat. Policy may ask for more.", Keys: []Key{
		{Name: "by", Is: IsClauses, Of: "seat", Required: true, Doc: "The seats that must fill, as [{ group: secops, count: 2 }]."},
		{Name: "why", Is: IsValue, Doc: "Why this should be done, in the author's words."},
		{Name: "within", Is: IsDuration, Doc: "How long people have. The default is policy's."},
		{Name: "escalate", Is: IsClauses, Of: "escalation", Doc: "Who is called when nobody decides."},
		{Name: "otherwise", Is: IsText, Enum: []string{"stop", "skip"}, Default: "stop", Doc: "What happens when it is rejected or expires. Silence never approves."},
	}}
}

func seatClause() Clause {
	return Clause{Name: "seat", Say: "a seat", Doc: "One part of a quorum: a group with a count, or a named part.", Keys: []Key{
		{Name: "group", Is: IsText, Doc: "A group of the configuration."},
		{Name: "seat", Is: IsText, Enum: []string{"key_owner"}, Doc: "A part in the incident instead of a group."},
		{Name: "count", Is: IsInt, Min: 1, Max: 20, Default: "1", Doc: "How many people of the group."},
		{Name: "else", Is: IsText, Doc: "The group that stands in when nobody has the part or the person is excluded."},
	}}
}

func escalationClause() Clause {
	return Clause{Name: "escalation", Say: "an escalation", Doc: "Who else is called, and when.", Keys: []Key{
		{Name: "after", Is: IsLimit, Required: true, Doc: "A time, as 15m, or an amount of money burnt, as 500 USD."},
		{Name: "to", Is: IsText, Required: true, Doc: "The group that is called."},
		{Name: "adds", Is: IsBool, Default: "false", Doc: "Whether the group may also sign from then on, where policy allows it. Only after a time."},
	}}
}

func askClause() Clause {
	return Clause{Name: "ask", Say: "ask", Doc: "A question with choices, or with a form.", Keys: []Key{
		{Name: "from", Is: IsText, Required: true, Doc: "The group whose members may answer."},
		{Name: "prompt", Is: IsValue, Required: true, Doc: "The question."},
		{Name: "choices", Is: IsTexts, Doc: "Two or more answers, read as steps.<id>.outputs.choice."},
		{Name: "form", Is: IsClauses, Of: "field", Doc: "Fields to fill in, read as steps.<id>.outputs.<name>."},
		{Name: "within", Is: IsDuration, Required: true, Doc: "How long people have."},
		{Name: "otherwise", Is: IsText, Required: true, Doc: "What holds without an answer: one of the choices, or stop for a form."},
	}}
}

func fieldClause() Clause {
	return Clause{Name: "field", Say: "a field", Doc: "One field of a form.", Keys: []Key{
		{Name: "name", Is: IsID, Required: true, Doc: "Its name in snake_case."},
		{Name: "type", Is: IsText, Enum: []string{TypeString, TypeInt, TypeFloat, TypeBool}, Default: TypeString, Doc: "What may be filled in."},
		{Name: "doc", Is: IsText, Doc: "What is asked for, as people read it."},
	}}
}
