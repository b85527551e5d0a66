package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// people decide: scripted ones by themselves, or whoever sits at the terminal and the sandbox Slack page. Either way
// every press is made by the sandbox and reaches the product signed, as Slack sends it.
func (d *rehearsal) people(ctx context.Context) {
	if d.scripted {
		go d.makeKeys(ctx)
		cast := d.cast
		if cast == nil {
			cast = sandbox.Scripted(time.Second, d.scenario.Answer)
		}
		d.stage.Slack.AutoApprove(ctx, sandbox.Script{People: cast, Note: func(text string) { d.say("        %s", text) }})
		return
	}
	go func() {
		defer close(d.typing)
		in := bufio.NewScanner(d.sh.In)
		for in.Scan() {
			select {
			case d.typing <- strings.TrimSpace(in.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	d.ask(ctx, d.typing)
}

// linger keeps the console and the Slack page open for whoever sits at the terminal: the story is best read when it is over.
// The reader of lines gives up at the first one after the drill, which closes the channel; either way one Enter ends this.
func (d *rehearsal) linger(ctx context.Context) {
	if d.scripted {
		return
	}
	d.say("\n  The console and the Slack page stay open. Press Enter to end.\n  run            %s/runs/%s", d.url, d.run_.ID)
	select {
	case <-d.typing:
	case <-ctx.Done():
	}
}

// ask prints what waits for people and presses what is typed.
func (d *rehearsal) ask(ctx context.Context, lines <-chan string) {
	tick := time.NewTicker(drillLook)
	defer tick.Stop()
	shown := map[string]string{}
	for {
		open, seats, words := d.waiting(ctx)
		switch was, seen := shown[open]; {
		case open != "" && !seen:
			d.say("\n%s\n  decide here, or press the buttons at %s", words, d.stage.SlackURL)
		case was != seats:
			d.say("%6s  %s", d.clock(), seats)
		}
		shown[open] = seats
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case line, ok := <-lines:
			if !ok {
				return
			}
			if open != "" {
				d.typed(ctx, line)
			}
		}
	}
}

// waiting is the oldest thing that waits for people: how many of its seats are filled, and all of it in words.
func (d *rehearsal) waiting(ctx context.Context) (id, seats, words string) {
	if d.run_.ID == "" {
		return "", "", ""
	}
	if q, waits := d.keyWaits(ctx); waits {
		return q.ID, "", fmt.Sprintf("  A KEY BY HAND for %s\n  %s\n  type: ana seal (she makes it on the sandbox provider's pages and seals it)", q.From, q.Prompt)
	}
	if qs, err := d.db.Questions(ctx, d.run_.ID, true); err == nil && len(qs) > 0 {
		prompt := strings.ReplaceAll(strings.TrimSpace(qs[0].Prompt), "\n", "\n  ")
		return qs[0].ID, "", fmt.Sprintf("  QUESTION for %s\n  %s\n  type: ana %s", qs[0].From, prompt, strings.Join(qs[0].Choices, " | ana "))
	}
	views, err := d.db.Requests(ctx, d.run_.ID, true)
	if err != nil || len(views) == 0 {
		return "", "", ""
	}
	v := views[0]
	seats = fmt.Sprintf("%d of %d seats are filled", v.Filled, v.Seats)
	var b strings.Builder
	fmt.Fprintf(&b, "  SIGN-OFF %s  %s (%s)\n", v.Request, v.Title, seats)
	for _, c := range v.Envelope.Calls {
		fmt.Fprintf(&b, "    %-18s %s\n", c.Action, c.Target)
	}
	fmt.Fprintf(&b, "  who may: %s\n  who may not: %s\n  check code %s\n  type: ana approve | bo approve | lee approve | ana reject", v.Who, orNobody(v.WhoNot), v.Code)
	return v.Request, seats, b.String()
}

// typed is one line such as "ana approve" or "ana abuse".
func (d *rehearsal) typed(ctx context.Context, line string) {
	who, what, _ := strings.Cut(line, " ")
	user, ok := map[string]string{"ana": sandbox.UserAna, "bo": sandbox.UserBo, "kim": sandbox.UserKim, "lee": sandbox.UserLee}[who]
	if !ok || what == "" {
		d.say("  type a person and what they press: ana approve, bo approve, lee approve, ana reject")
		return
	}
	if q, waits := d.keyWaits(ctx); waits && what == "seal" {
		if err := d.makeKey(ctx, q, who); err != nil {
			d.say("  %s", err)
		}
		return
	}
	p := sandbox.ScriptedPerson{User: user}
	switch what {
	case signoff.Approve:
	case signoff.Reject:
		p.Reject = "rejected at the terminal"
	default:
		p.Answer = what
	}
	if err := d.stage.Slack.Act(ctx, p); err != nil {
		d.say("  %s", err)
	}
}
