package wire

// Names of the watch, known to both sides.
const (
	SweepName  = "Sweep"       // the workflow that one tick of a schedule starts
	WatchSweep = "watch.sweep" // the activity in it
)

// Sweep asks to poll every known key of one account.
type Sweep struct {
	Provider string `json:"provider"`
	Account  string `json:"account"`
}

// Swept is what one sweep did.
type Swept struct {
	Polled  int `json:"polled"`
	Failed  int `json:"failed"`
	Alarms  int `json:"alarms"`
	Waiting int `json:"waiting"` // not due yet, after failures
}
