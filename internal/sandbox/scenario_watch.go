package sandbox

import (
	"math/rand/v2"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// perCall is what one call costs in the sandbox, in dollars: 28 USD a minute at ten calls a second.
const perCall = 28.0 / 600

// honestDay is what the watched key costs on an ordinary day: 180 USD a month.
const honestDay = 6.0

// quietTheft is a theft that no scanner, budget or gateway notices.
func quietTheft() Scenario {
	s := watched("quiet-theft", "a Gemini key that costs 6 USD a day is spent at 28 USD a minute, and nobody raises an alarm but our own watch")
	s.Past = func(w *World, k Key) { w.past(k, w.Now().AddDate(0, 0, -30), w.Now(), honestDay) }
	return s
}

// slowTheft hides under twice the normal level.
func slowTheft() Scenario {
	s := watched("slow-theft", "a Gemini key is spent for three days at less than twice its normal level; only our own watch notices")
	s.Pace = Pace{USDPerMinute: honestDay * .9 / 1440, Every: 10 * time.Second}
	s.Past = func(w *World, k Key) {
		now := w.Now()
		w.past(k, now.AddDate(0, 0, -33), now, honestDay)
		w.past(k, now.Add(-70*time.Hour), now, honestDay*.9)
	}
	return s
}

// busyLaunch is an honest tenfold day. It must end as a question, never as a containment.
func busyLaunch() Scenario {
	s := watched("busy-launch", "a launch makes a Gemini key ten times as busy as usual; people are asked, and nothing is contained")
	s.Theft, s.Answer, s.Outcome = TheftHonest, "expected", incident.OutcomeFalseAlarm
	s.Pace = Pace{USDPerMinute: honestDay * 9 / 1440, Every: 2 * time.Second}
	s.Past = func(w *World, k Key) {
		now := w.Now()
		w.past(k, now.AddDate(0, 0, -30), now, honestDay)
		w.past(k, now.Add(-8*time.Hour), now, honestDay*9)
	}
	return s
}

// watched is a scenario in which only the product's own watch can notice anything.
func watched(name, summary string) Scenario {
	s := leak(name, summary, google())
	s.Unannounced, s.Watch = true, "{ every: 1s, blind_after: 1m }"
	return s
}

// past lets a key have been used before the world began, at an even pace with some chance in it. The world log knows nothing
// of it: it begins with the drill.
func (w *World) past(k Key, from, to time.Time, usdPerDay float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key, known := w.google.keys[k.ID]
	if !known {
		return
	}
	dice := rand.New(rand.NewPCG(11, uint64(usdPerDay*1000))) //nolint:gosec // the same past whenever the drill begins: what it shows must not hang on chance
	gap := 24 * time.Hour.Seconds() / (usdPerDay / perCall)
	for at := from; at.Before(to); at = at.Add(time.Duration((.5 + dice.Float64()) * gap * float64(time.Second))) {
		w.google.calls = append(w.google.calls, googleCall{at: at, uid: key.UID, method: geminiMethod + "GenerateContent", code: 200})
	}
}
