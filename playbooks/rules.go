package playbooks

import "github.com/tourniquet-ir/tourniquet/internal/diag"

// Rule is one reason to refuse a playbook, or to warn about it.
type Rule struct {
	Name     string // as faults name it
	Severity string
	Says     string // what is refused
	Because  string
	Instead  string
	Schema   string // whether an editor sees it by the JSON Schema: SchemaSees, SchemaMay, or empty
}

// What the JSON Schema sees of a rule.
const (
	SchemaSees = "sees" // every breach
	SchemaMay  = "may"  // some
)

func rule(name, schema, says, because, instead string) Rule {
	return Rule{Name: name, Severity: diag.Error, Says: says, Because: because, Instead: instead, Schema: schema}
}

func warning(name, says, because, instead string) Rule {
	return Rule{Name: name, Severity: diag.Warning, Says: says, Because: because, Instead: instead}
}

// Rules are all of them, in the order in which docs list them. Each has a pair of files in testdata: err/<name>.yaml,
// which breaks it, with what is said about it in <name>.out, and ok/<name>.yaml, which does not.
func Rules() []Rule {
	var out []Rule
	for _, some := range [][]Rule{fileRules(), shapeRules(), expressionRules(), referenceRules(), signoffRules(), orderRules(), warnings()} {
		out = append(out, some...)
	}
	return out
}

func fileRules() []Rule {
	return []Rule{
		rule("syntax", "", "A file that is not YAML, or not UTF-8.", "A file that a parser mends is not the file that a person read.", "Mend what the message says."),
		rule("budget", "", "A file above 256 KiB, a line above 4096 bytes, nesting above 40 levels, more than 500 steps or 1500 expressions, sub-playbooks included.", "Files may be hostile. Whatever is in one, reading it takes little time and memory.", "Split it with sub-playbooks."),
		rule("yaml-feature", SchemaMay, "Anchors, aliases, merges, tags and second documents.", "What a person reads must be what runs. `if: !x` is a tag to YAML: the condition would silently vanish.", "Write values out. Quote a condition that begins with `!`."),
		rule("hidden-character", "", "Characters that turn the direction of text or take no room, control characters, and line ends that editors do not show.", "A reviewer would see another playbook than the one that runs.", "Take them out, or write an escape such as `\\u200b` in double quotes."),
		rule("unquoted-expression", "", "`${{ }}` without quotes inside `{ }` or `[ ]`, and an expression that is never closed.", "YAML reads the braces as its own, or cuts the text at ` #`.", "Quote it: `{ key: \"${{ key }}\" }`."),
		rule("secret", "", "A text that looks like a key, a token or a private key.", "Playbooks are stored, shown and signed in clear. The text is not repeated in the message.", "Name keys; never write their values."),
	}
}

func shapeRules() []Rule {
	return []Rule{
		rule("shape", SchemaMay, "A list where a map is wanted, a text that is no duration, a number out of its range, an unknown word.", "A value that is read as something else changes what the playbook does.", "The message says what stands there."),
		rule("kind", SchemaSees, "A step that does not say what it does, or that says two things.", "A step is exactly one of `uses`, `steps`, `parallel`, `for_each`, `ask`, `wait`, `playbook` and `end`.", "Add the key, or make two steps."),
		rule("unknown-key", SchemaSees, "A key that the language does not have at that place.", "A misspelt `signoff` would otherwise be no sign-off at all.", "The message lists the keys and guesses the one that was meant."),
		rule("missing-key", SchemaSees, "A key that must be there and is not.", "What the language needs is written down and never assumed.", "Add it."),
		rule("duplicate-key", "", "A key that stands twice in one map.", "A parser keeps one of the two, and a reader may believe the other.", "Keep one. The message says where the other is."),
		rule("bad-id", SchemaMay, "An id that is not snake_case (steps, inputs, vars, loop items) or kebab-case (playbooks), or that already means something in expressions.", "In an expression a hyphen is a minus.", "Rename it."),
		rule("duplicate-id", "", "Two steps with one id, anywhere in the file.", "Steps are named by their id in expressions, sign-offs and the ledger.", "Rename one."),
		rule("inputs-or-trigger", SchemaSees, "A playbook with both `inputs` and a `trigger`.", "When an alert starts the run, nobody is there to give inputs.", "Take one out."),
		rule("question", SchemaMay, "A question with neither or both of `choices` and `form`, with fewer than two choices, or with an `otherwise` that is none of them.", "A question can always be answered, and says what holds when nobody does.", "Give two choices or a form, and one of the choices (for a form: `stop`) as `otherwise`."),
		rule("sub-playbook", "", "A playbook that does not exist, that has faults, that calls itself in the end, or that needs a key where there is none.", "Sub-playbooks are built in when a playbook is compiled.", "Mend or rename it; lint it alone first."),
	}
}

func expressionRules() []Rule {
	return []Rule{
		rule("condition", SchemaMay, "A condition (`if`, `until`, `trigger.if`) that is empty, is not true or false, stands in `${{ }}`, or is cut by a comment.", "The guard would vanish.", "Write a bare expression that is true or false; quote it where YAML would read more into it."),
		rule("expression", "", "An expression that does not parse, names something that does not exist, or could be slow, large or different from run to run.", "A misspelt field is found now and not at 03:12. Predicates do not nest, ranges have literal ends up to 100, and there is no `reduce`, `repeat`, `keys` or `toJSON`.", "The message names the word, its neighbours and the one that was probably meant."),
		rule("wrong-type", SchemaMay, "A value of another type than the action's card, the loop or the text around it asks for.", "A key is not its id, and a list cannot be written into a sentence.", "Name the field that is meant, or use `join`."),
		rule("unknown-action", SchemaSees, "An action that does not exist.", "", "See `tourniquet action list`."),
		rule("unknown-input", SchemaSees, "An input that the action or playbook does not take.", "A misspelt input would silently be left out.", "See `tourniquet action show NAME`."),
		rule("missing-input", SchemaMay, "An input that the action or playbook needs.", "", "Give it under `with`."),
	}
}

func referenceRules() []Rule {
	return []Rule{
		rule("unknown-step", "", "A step that does not exist, in `steps.<id>`.", "", "The message guesses the one that was meant."),
		rule("forward-reference", "", "A step that is not over where it is read: it stands later, runs beside, contains the reader, or is inside a loop.", "Its outputs do not exist yet. Outside a loop only the loop's own list does.", "Read steps that are over."),
		rule("unguarded-reference", "", "Reading the outputs of a step that may not have run: it has an `if`, an `on_error: continue`, or a sign-off that may skip it.", "The run would stop in the middle of an incident.", "Write `steps.x.outputs?.y ?? \"unknown\"`, or put the reader under `if: steps.x.status == \"done\"`."),
		rule("optional-value", "", "Reading an output or input that is not always there.", "The card says which are.", "Write `… ?? \"unknown\"`."),
		rule("whole-step", "", "Reading a step or its outputs as a whole, as in `let s = steps.fresh`.", "A value could reach a signed call unseen by the rules about targets and guards.", "Name the output: `steps.fresh.outputs.key`."),
	}
}

func signoffRules() []Rule {
	return []Rule{
		rule("final-without-signoff", "", "A final action with no sign-off on itself or on a group around it.", "What cannot be undone does not happen without people. There is no setting for that.", "Add `signoff:` to the step or to a group around it."),
		rule("signoff-approvers", SchemaMay, "A sign-off without approvers, a seat for zero people, or a seat that is both a group and a part or neither.", "An empty list would mean nobody, or anybody.", "`by: [{ group: secops, count: 2 }]`"),
		rule("signoff-otherwise", SchemaSees, "`otherwise: approve`.", "Silence never approves.", "`stop` or `skip`."),
		rule("signoff-of-nothing", "", "A sign-off on a step or group in which nothing changes anything.", "People sign calls that change something. Here nobody would be asked, and a reader would believe that somebody is.", "Take it out, or put a question before the step."),
		rule("unknown-group", SchemaSees, "A group that the configuration does not have.", "Nobody could sign.", "Use a group of the configuration, or add it there."),
		rule("escalation", "", "`adds: true` beside an amount of money.", "Who may decide from when on is frozen when people are asked, and nobody knows when money will be burnt.", "Write a time under `after`, or take `adds` out."),
		rule("nested-signoff", "", "A sign-off inside a signed group.", "The group's signatures cover all of it.", "One sign-off for the group, or one for each step."),
		rule("signed-group", "", "A question, pause, sub-playbook or end inside a signed group.", "What people sign is fixed and runs to its end.", "Put it before or after the group."),
		rule("unknown-target", "", "A final action whose target is made by a step of the same signed group.", "People sign for things that exist.", "Make it before the group."),
		rule("signed-loop", "", "A loop in a signed group over a list that a step of the same group makes.", "The items are part of what is signed.", "Make the list before the group."),
		rule("same-target", "", "Two calls on one target in a signed group, unless the later card says that it expects the first.", "People sign the state in which they saw the target. The first call changes it, and the second would be void.", "Give each a sign-off of its own."),
	}
}

func orderRules() []Rule {
	return []Rule{
		rule("after-the-end", "", "A sign-off, a question, a pause, a sub-playbook, an end, or an undoable or final action in `on_failure` or `finally`.", "These run when something went wrong or when people said no. They look and tell.", "Move it to `steps`."),
		rule("end-place", "", "`end` inside `parallel` or a loop.", "The siblings would be left in the middle of a call.", "Put it behind."),
		rule("false-alarm", "", "`end: false_alarm` that does not depend on a question whose `otherwise` cannot reach it, or that comes after a final action.", "A false alarm gives a possibly stolen key back. A person decides that, never silence.", "`if: steps.triage.outputs.choice == \"legitimate\"`, where `legitimate` is not the `otherwise`."),
		rule("unreachable", "", "A step behind an end without a condition.", "It never runs, and a reader may rely on it.", "Give the end an `if`, or delete what follows."),
		rule("not-offered", "", "An action on a key that none of the providers offers whose keys the step can meet, by the trigger and the conditions around it.", "What providers declare is known before an incident; the step could only fail in one.", "See `tourniquet action show NAME` for who can."),
		rule("unbounded", SchemaMay, "`until` without `every` and `within`, or `every` without `until`.", "Whatever repeats says how often and until when.", "Add them."),
		rule("repeated-effect", "", "`until` on an action that changes something, `retry` on a final one, or `retry` beside `until`.", "A second attempt could be a second effect.", "Repeat a step that looks; let a person decide about errors."),
		rule("events", "", "A playbook that could need more than 10,000 history events, with 100 items in each loop.", "A run is one history, and a history has a limit.", "Split it, or loop over less."),
	}
}

func warnings() []Rule {
	return []Rule{
		warning("no-evidence", "A final action before anything was looked at.", "People would sign without evidence, and the action may destroy it.", "`usage.snapshot` or `persistence.scan` before it."),
		warning("never-probed", "A revocation that no later step proves.", "Deleted keys were seen to work for 8 to 23 minutes more.", "`key.probe` behind it, until `result.state == \"refused\"`."),
		warning("by-hand", "An action that a provider leaves to a person, where the playbook can meet a key of that provider.", "Anthropic makes keys on its pages only. The call then waits until somebody has put the new key into the sealed form.", "Give the sign-off around it the time that a person needs."),
		warning("quorum", "A sign-off that needs more people than the configured group has.", "It could only expire.", "A larger group, or a smaller count."),
	}
}
