package watch

import "time"

// Sizes of a key's memory.
const (
	weeks      = 6              // hourly sums kept for each hour of the week
	peakDays   = 60             // days for which the highest quotients are kept
	infancy    = 4              // days before quotients mean anything
	settle     = 3 * time.Hour  // buckets younger than this may still be rewritten and are not learned
	keep       = 76 * time.Hour // buckets kept one by one: the longest window and what has not settled
	day        = 24 * time.Hour
	hoursAWeek = 7 * 24
	maxHabits  = 200 // values remembered of one kind: more is no habit
)

// State is all that is known of one key. It is kept between polls as JSON.
type State struct {
	Width   Seconds                     `json:"width"`   // of one bucket
	First   time.Time                   `json:"first"`   // start of the oldest bucket that was ever seen
	Recent  map[int64]int64             `json:"recent"`  // start (Unix seconds) -> millionths of a dollar
	Level   [hoursAWeek][]int64         `json:"level"`   // sums of the last weeks by hour of the week, newest last
	Learned time.Time                   `json:"learned"` // hours before this are in Level, or were left out
	Days    []Day                       `json:"days"`    // oldest first
	Apart   []Span                      `json:"apart"`   // not learned: the time of open and of true alarms
	Lessons []Lesson                    `json:"lessons"` // what people called honest
	Habits  map[string]map[string]Habit `json:"habits"`  // kind -> value -> since when, and what it cost
	Counted time.Time                   `json:"counted"` // buckets before this are in Habits

	memo [hoursAWeek]memo // of Usual, until something is learned
}

// memo is a median that was computed.
type memo struct {
	micro       float64
	known, here bool
}

// Seconds is a duration in JSON.
type Seconds int64

// Std is the duration.
func (s Seconds) Std() time.Duration { return time.Duration(s) * time.Second }

// Day holds the highest quotient of each window on one day.
type Day struct {
	At    time.Time        `json:"at"`
	Peaks [windows]float64 `json:"peaks"`
}

// Span is a stretch of time, with the alert because of which it is set apart. To is zero while the alert is open.
type Span struct {
	Alert string    `json:"alert"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to,omitzero"`
}

// Lesson is a false alarm: from then on these quotients are honest for this key, until somebody revokes the lesson.
type Lesson struct {
	Alert   string           `json:"alert"`
	By      string           `json:"by"` // the run or the person that said so
	At      time.Time        `json:"at"`
	Peaks   [windows]float64 `json:"peaks"`
	Burst   float64          `json:"burst"` // highest quotient of any window: what the longer ones grow to while it lasts
	Revoked bool             `json:"revoked,omitempty"`
}

// NewState is the state of a key that was never seen. Width is how long the provider's buckets are.
func NewState(width time.Duration) *State {
	return &State{Width: Seconds(width / time.Second), Recent: map[int64]int64{}, Habits: map[string]map[string]Habit{}}
}

// Age is how long the key has been watched.
func (s *State) Age(now time.Time) time.Duration {
	if s.First.IsZero() {
		return 0
	}
	return now.Sub(s.First)
}
