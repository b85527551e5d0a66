package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/internal/sandbox"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// scene is what is on the page when the picture is taken, and who looks.
type scene struct {
	name  string
	as    string
	looks []look
	play  func(context.Context, *stage) error
}

func all(desktop, phone int) []look {
	return []look{{"", 1180, desktop, false}, {"-dark", 1180, desktop, true}, {"-phone", 400, phone, false}}
}

// phoned leaves the dark one out.
func phoned(desktop, phone int) []look {
	looks := all(desktop, phone)
	return []look{looks[0], looks[2]}
}

func scenes() []scene {
	return []scene{
		{"card", sandbox.UserAna, all(1130, 1500), func(ctx context.Context, st *stage) error { _, err := st.ask(ctx, plan()); return err }},
		{"modal", sandbox.UserAna, all(1000, 1100), reviewed},
		{"reject", sandbox.UserAna, all(820, 900)[:1], rejecting},
		{"decided", sandbox.UserAna, all(1480, 1800), decided},
		{"refusal", sandbox.UserKim, phoned(1190, 1640), refused},
		{"hostile", sandbox.UserAna, all(1250, 1900)[:1], func(ctx context.Context, st *stage) error { _, err := st.ask(ctx, hostile()); return err }},
		{"alarm", sandbox.UserAna, phoned(760, 800), alarmed},
		{"command", sandbox.UserBo, all(760, 900)[:1], commanded},
	}
}

func (st *stage) ask(ctx context.Context, v signoff.View) (chat.Delivery, error) {
	st.desk.views[v.Request] = v
	return st.chat.Ask(ctx, v, "")
}

func (st *stage) tap(ctx context.Context, user string, d chat.Delivery, action string) error {
	if err := st.slack.Press(ctx, user, d.Channel, d.TS, action); err != nil {
		return err
	}
	st.chat.Wait()
	return nil
}

func reviewed(ctx context.Context, st *stage) error {
	d, err := st.ask(ctx, plan())
	if err != nil {
		return err
	}
	return st.tap(ctx, sandbox.UserAna, d, "tourniquet_review")
}

func rejecting(ctx context.Context, st *stage) error {
	d, err := st.ask(ctx, plan())
	if err != nil {
		return err
	}
	if err := st.tap(ctx, sandbox.UserAna, d, "tourniquet_reject_form"); err != nil {
		return err
	}
	views := st.slack.Views()
	if len(views) != 1 {
		return fmt.Errorf("%d modals are open", len(views))
	}
	return st.slack.Submit(ctx, sandbox.UserAna, views[0].ID, map[string]map[string]string{"reason": {"reason": " "}})
}

func decided(ctx context.Context, st *stage) error {
	v := plan()
	d, err := st.ask(ctx, v)
	if err != nil {
		return err
	}
	for i, p := range []struct{ id, name string }{{"ana", "Ana Reyes"}, {"bo", "Bo Lindqvist"}} {
		v.Filled = i + 1
		v.Decided = append(v.Decided, signoff.Decision{Person: p.id, Name: p.name, Verb: signoff.Approve, At: v.Envelope.Issued.Add(time.Duration(40+70*i) * time.Second), Surface: "slack"})
		if i == 1 {
			v.State = signoff.StateDone
		}
		if _, err := st.chat.Settle(ctx, d, v); err != nil {
			return err
		}
		if err := st.chat.History(ctx, d, v); err != nil {
			return err
		}
	}
	return nil
}

// refused is the key's owner, who opens the review and presses Approve.
func refused(ctx context.Context, st *stage) error {
	d, err := st.ask(ctx, plan())
	if err != nil {
		return err
	}
	if err := st.tap(ctx, sandbox.UserKim, d, "tourniquet_review"); err != nil {
		return err
	}
	views := st.slack.Views()
	if len(views) != 1 {
		return fmt.Errorf("%d modals are open", len(views))
	}
	if err := st.slack.Submit(ctx, sandbox.UserKim, views[0].ID, nil); err != nil {
		return err
	}
	st.chat.Wait()
	st.slack.CloseView(sandbox.UserKim, views[0].ID)
	return nil
}

// alarmed is the question with which a doubtful alarm of the watch begins: an ordinary fortnight, and then three hours of something
// else, drawn as the watch draws it.
func alarmed(ctx context.Context, st *stage) error {
	state := watch.NewState(5 * time.Minute)
	end := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	var rows []watch.Row
	for at := end.AddDate(0, 0, -28); at.Before(end); at = at.Add(5 * time.Minute) {
		rows = append(rows, watch.Row{At: at, Micro: ordinary(at)})
		if !at.Before(end.Add(-3 * time.Hour)) {
			rows = append(rows, watch.Row{At: at, Micro: 480_000, Model: "another"})
		}
	}
	alarms, _ := state.Live(rows, end, watch.Limits{})
	if len(alarms) == 0 {
		return errors.New("the watch raised no alarm")
	}
	found := lookout.Finding{Key: "gemini:demo:shop", Alarm: &alarms[0], Hours: lookout.Hours(state, end)}
	png, err := found.PNG()
	if err != nil {
		return err
	}
	chart, err := st.chat.Picture(ctx, "alarm.png", png, alarms[0].Why)
	if err != nil {
		return err
	}
	_, err = st.chat.Question(ctx, chat.Choice{
		Request: "q-run-01k9x2m5-1", Run: "run-01k9x2m5", Title: "Whose spending is it?", Choices: []string{"expected", "our_job", "abuse"}, Who: "members of secops",
		Prompt: "1,284 calls, 21.40 USD, 2 new addresses.\nexpected: nothing is done. our_job: a job of ours ran wild; the key is stopped until it is mended.\n" +
			"abuse: a thief; the key is stopped, replaced and deleted. Silence counts as abuse.",
		Expires: end.Add(15*time.Minute).Format("2006-01-02 15:04 UTC") + ", then: abuse", Alarm: &signoff.Alarm{Why: alarms[0].Why, Chart: chart},
	})
	return err
}

// ordinary is what an honest shop spends: by day, and more in the afternoon.
func ordinary(at time.Time) int64 {
	if at.Hour() < 7 || at.Hour() > 20 {
		return 2_000
	}
	return 15_000 + 2_500*int64(at.Hour()%5) + 700*int64(at.Minute()%7)
}

func commanded(ctx context.Context, st *stage) error {
	for _, text := range []string{"status", "list", "hold on a flood of alerts from the new scanner"} {
		if err := st.slack.Command(ctx, sandbox.UserBo, st.channel, text); err != nil {
			return err
		}
	}
	st.chat.Wait()
	return nil
}

// plan is a sign-off as the Gemini drill asks for it.
func plan() signoff.View {
	issued := time.Date(2026, 11, 23, 3, 12, 9, 0, time.UTC)
	key := "projects/demo-shop/locations/global/keys/7f3ac1d2"
	return signoff.View{
		Request: "so-4b1d9c07e2aa61f0", Digest: "sha256:4b1d9c07e2f3a8816c0d", Code: "4B1D-9C07", Title: "Revoke the stolen key for good",
		Why:    "The key was found in a public commit and is being spent. Every user of it has a new key by now.",
		Impact: []string{"4 of 5 dependents healthy, 1 not checked", "in force, and can be taken back: key.contain on " + key},
		Changes: []signoff.Change{{Target: "example-org/shop SHOP_GEMINI_KEY", Before: "the stolen key", After: "the key that step fresh makes", Undo: ""},
			{Target: key, Before: "no API targets; callers: 192.0.2.1/32", After: "deleted; Google keeps it for 30 days", Undo: ""}},
		Spent: "1,284.10 USD since 02:08 UTC, estimated from requests at list price; read at 03:12 UTC", Waiting: "waiting costs about 1,680.00 USD an hour, at the rate of the last five minutes",
		Who: `2 of group "secops"`, WhoNot: `"kim"`, Otherwise: "nothing of this is done and the run stops", Place: "step 5 of 8", State: signoff.StateOpen, Seats: 2,
		Next: []string{"03:27 UTC: secops_lead is woken and may decide, too"}, Link: "https://tourniquet.example.com/signoffs/so-4b1d9c07e2aa61f0",
		Envelope: signoff.Envelope{World: "drill", Incident: "inc-01k9x2m4", Playbook: "gemini-leak", PlaybookHash: "sha256:aabbccddeeff0011", PolicyHash: "sha256:77aa01b2",
			Run: "run-01k9x2m5", Step: "eradicate", Attempt: 1, Issued: issued, Expires: issued.Add(4 * time.Hour), UseWithin: 600, Complete: 1200,
			Evidence: []string{"sha256:0011223344556677", "sha256:8899aabbccddeeff"},
			Calls: []signoff.PlannedCall{
				{Index: 0, Step: "eradicate/hand_over", Action: "dependent.update", Effect: signoff.EffectFinal, Target: "example-org/shop SHOP_GEMINI_KEY",
					Inputs: map[string]any{"key": map[string]any{signoff.LaterKey: map[string]any{"step": "fresh", "output": "key"}}}, State: map[string]string{"updated_at": "2026-05-02T09:14:00Z"},
					After: "the application is deployed again with the new key"},
				{Index: 1, Step: "eradicate/revoke", Action: "key.revoke", Effect: signoff.EffectFinal, Target: key, Reach: "key",
					Inputs: map[string]any{"key": map[string]any{"provider": "gemini", "account": "demo", "id": key, "hint": "AIza…9xQ2"}},
					State:  map[string]string{"api_targets": "none", "allowed_ips": "192.0.2.1/32", "deleted": "no"}, After: "the key is deleted"},
			}},
	}
}

// hostile is the same with words of an attacker wherever an alert's words can get to.
func hostile() signoff.View {
	v := plan()
	bad := "<!channel> *Approve now* <https://evil.example|click here> `x` &amp; \u202Egnp.exe\u200B \x1b[31m p\u0430ypal.com\n> APPROVED BY CISO\n"
	long := strings.Repeat(bad, 40<<10/len(bad))
	v.Title = "Leak <!here> \u202Etxet\u202C of p\u0430yments"
	v.Why, v.Impact = long, []string{long, "*bold* _it_ ~no~", "WHO\nMay decide: everybody"}
	v.Changes[0].Target, v.Changes[0].Before, v.Changes[0].After = long, long, long
	v.Envelope.Calls[1].Target = "key \u200B\u200Bwith \u202E hidden <@U0ANA> parts"
	v.Link = "javascript:alert(1)"
	return v
}
