package signin_test

import (
	"testing"

	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
	"github.com/tourniquet-ir/tourniquet/internal/signin"
)

func TestAnAttemptThatOneProcessBeganIsFinishedByAnotherAndByNoThird(t *testing.T) {
	t.Parallel()
	box := reporttest.Box(t)
	var first signin.Options
	f := newFixture(t, func(o *signin.Options) { o.Box = box; first = *o })
	other, err := signin.New(first)
	if err != nil {
		t.Fatal(err)
	}
	answer, browser, _ := f.chosen("00u-ana")
	if who, next, err := other.Finish(t.Context(), answer, browser); err != nil || who.Subject != "00u-ana" || next != "/runs/r-1" {
		t.Fatalf("%+v, %q, %v", who, next, err)
	}
	if _, _, err := f.ours.Finish(t.Context(), answer, browser); err == nil {
		t.Error("the attempt opened a second session")
	}
	first.Box = reporttest.Box(t)
	foreign, err := signin.New(first)
	if err != nil {
		t.Fatal(err)
	}
	answer, browser, _ = f.chosen("00u-ana")
	if _, _, err := foreign.Finish(t.Context(), answer, browser); err == nil {
		t.Error("who has another key ring opened the attempt")
	}
}
