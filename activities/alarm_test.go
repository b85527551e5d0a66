package activities

import (
	"context"
	"errors"
	"testing"

	"github.com/tourniquet-ir/tourniquet/integrations/chat"
	"github.com/tourniquet-ir/tourniquet/internal/cards"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
	"github.com/tourniquet-ir/tourniquet/internal/wire"
)

// gallery is a talk that takes pictures.
type gallery struct {
	*talk
	refuses  error
	pictures []string
	views    []signoff.View
	choices  []chat.Choice
}

func (g *gallery) Picture(_ context.Context, _ string, png []byte, words string) (string, error) {
	if g.refuses != nil {
		return "", g.refuses
	}
	g.pictures = append(g.pictures, string(png)+" "+words)
	return "F0CHART0001", nil
}

func (g *gallery) Ask(ctx context.Context, v signoff.View, channel string) (chat.Delivery, error) {
	g.views = append(g.views, v)
	return g.talk.Ask(ctx, v, channel)
}

func (g *gallery) Question(_ context.Context, c chat.Choice) (chat.Delivery, error) {
	g.choices = append(g.choices, c)
	return chat.Delivery{Channel: "C0RESPOND", TS: c.Request}, nil
}

func (g *gallery) SettleQuestion(_ context.Context, _ chat.Delivery, c chat.Choice, _ string) error {
	g.choices = append(g.choices, c)
	return nil
}

func alarmed(t *testing.T) (*bench, *gallery, wire.Settle) {
	t.Helper()
	g := &gallery{talk: &talk{}}
	b, s := asking(t, g.talk)
	b.h.Chat = g
	b.h.Cards = cards.New(b.h.DB, g, b.h.Log)
	b.h.Alarms = func(_ context.Context, run string) (string, []byte, error) {
		return "this key cost ninety times as much as is usual, says " + run, []byte("png"), nil
	}
	return b, g, s
}

func TestEveryCardOfARunShowsTheAlarmAndTheChartIsUploadedOnce(t *testing.T) {
	t.Parallel()
	b, g, s := alarmed(t)
	q := wire.Question{ID: "q-run-1-1", Run: "run-1", From: "secops", Title: "Whose is it?", Choices: []string{"ours", "abuse"}}
	for _, step := range []func() error{
		func() error { _, err := b.env.ExecuteActivity(wire.OpenQuestion, q); return err },
		func() error { return b.ask(t, s) },
		func() error {
			q.Answer, q.By = "abuse", "ann"
			_, err := b.env.ExecuteActivity(wire.SettleQuestion, q)
			return err
		},
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.pictures) != 1 || g.pictures[0] != "png this key cost ninety times as much as is usual, says run-1" {
		t.Errorf("pictures: %q", g.pictures)
	}
	if len(g.views) != 1 || g.views[0].Alarm == nil || g.views[0].Alarm.Chart != "F0CHART0001" {
		t.Errorf("the sign-off shows %+v", g.views)
	}
	if len(g.choices) != 2 || g.choices[0].Alarm == nil || g.choices[1].Alarm == nil || *g.choices[0].Alarm != *g.views[0].Alarm || *g.choices[1].Alarm != *g.views[0].Alarm {
		t.Errorf("the question, open and answered, shows %+v", g.choices)
	}
	if kept := must(b.h.DB.Request(t.Context(), s.Request))(t); kept.Alarm == nil || kept.Digest != g.views[0].Digest {
		t.Errorf("our records say %+v", kept)
	}
}

func TestAChartThatCannotBeUploadedHoldsNoCardUpAndIsTriedWithTheNextOne(t *testing.T) {
	t.Parallel()
	b, g, s := alarmed(t)
	g.refuses = errors.New(`Slack refused to take a picture: the app lacks the scope "files:write"`)
	if err := b.ask(t, s); err != nil {
		t.Fatal(err)
	}
	if len(g.views) != 1 || g.views[0].Alarm == nil || g.views[0].Alarm.Chart != "" || g.views[0].Alarm.Why == "" {
		t.Fatalf("the card says %+v", g.views)
	}
	g.refuses = nil
	q := wire.Question{ID: "q-run-1-1", Run: "run-1", From: "secops", Title: "Whose is it?", Choices: []string{"ours"}}
	if _, err := b.env.ExecuteActivity(wire.OpenQuestion, q); err != nil || g.choices[0].Alarm.Chart != "F0CHART0001" {
		t.Errorf("the next card says %+v: %v", g.choices, err)
	}
}

func TestARunWithoutAnAlarmHasCardsWithoutOne(t *testing.T) {
	t.Parallel()
	for name, tells := range map[string]func(context.Context, string) (string, []byte, error){
		"nothing was seen": func(context.Context, string) (string, []byte, error) { return "", nil, nil },
		"nobody can tell": func(context.Context, string) (string, []byte, error) {
			return "", nil, errors.New("the database is busy")
		},
		"nobody watches": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, g, s := alarmed(t)
			b.h.Alarms = tells
			if err := b.ask(t, s); err != nil || len(g.views) != 1 || g.views[0].Alarm != nil || len(g.pictures) != 0 {
				t.Errorf("%+v, %d pictures: %v", g.views, len(g.pictures), err)
			}
		})
	}
}
