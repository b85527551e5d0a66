package report

// mdSummary is what somebody reads who reads nothing else: the story, and what is still open.
func (f *Facts) mdSummary(p *page) {
	p.line("\n## Summary\n")
	for _, s := range f.Summary {
		p.line("%s  ", s.Markdown())
	}
	p.line("\n## Still open\n")
	if len(f.Open) == 0 {
		p.line("Nothing.")
	}
	for _, i := range f.Open {
		p.line("- %s", i.What.Markdown())
	}
}

func (f *Facts) mdIndicators(p *page) {
	p.line("\n## Indicators\n")
	if len(f.Indicators) == 0 {
		p.line("Nothing that was collected names the intruder.")
		return
	}
	p.line("| kind | value | from |\n|---|---|---|")
	for _, i := range f.Indicators {
		p.line("| %s | %s | %s |", i.Kind, cell(i.Value), cell(i.From))
	}
}

// chartRows fits a ticket.
const chartRows = 24

func (f *Facts) mdImpact(p *page) {
	p.line("\n## Impact\n")
	if len(f.Impact.Dependents) == 0 {
		p.line("The inventory names nothing that depends on this key.")
	} else {
		p.line("| dependent | kind | new key | state | what was seen |\n|---|---|---|---|---|")
	}
	for _, d := range f.Impact.Dependents {
		p.line("| %s | %s | %s | %s | %s |", cell(d.ID), cell(d.Kind), d.NewKey, d.Health, cell(d.Detail))
	}
	for _, m := range f.Impact.Measures {
		p.line("\n- %s is felt by: %s (%s)", code(m.Step), code(m.Reach), code(m.What))
	}
	if len(f.Curve) > 0 {
		p.line("\nThe burn curve, in UTC:\n\n%s", fence("", f.bars(chartRows)))
	}
}

func (f *Facts) mdDeeds(p *page) {
	p.line("\n## Actions, and who answers for them\n")
	if len(f.Deeds) == 0 {
		p.line("Nothing was changed.")
		return
	}
	p.line("| since the alert | action | effect | target | status | who answers for it |\n|---|---|---|---|---|---|")
	for _, d := range f.Deeds {
		p.line("| %s | %s | %s | %s | %s | %s |", f.SinceAlert(d.At), cell(d.Action), cell(d.Effect), cell(d.Target), cell(d.Status), cell(d.Who()))
	}
}

func (f *Facts) mdReview(p *page) {
	p.line("\n## Lessons and next steps\n")
	if len(f.Review.Lessons)+len(f.Review.NextSteps) == 0 {
		p.line("Nobody has written any down yet.")
		return
	}
	for _, l := range f.Review.Lessons {
		p.line("- lesson, by %s: %s", code(l.By), code(l.Text))
	}
	if len(f.Review.NextSteps) == 0 {
		return
	}
	p.line("\n| # | next step | owner | until | state |\n|---|---|---|---|---|")
	for _, s := range f.Review.NextSteps {
		state := "open"
		if s.Done {
			state = "done at " + Stamp(s.DoneAt) + ", says " + cell(s.DoneBy) + " " + cell(s.Said)
		}
		p.line("| %d | %s | %s | %s | %s |", s.Number, cell(s.Text), cell(s.Owner), cell(s.Due), state)
	}
}
