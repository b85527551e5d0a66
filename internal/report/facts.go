package report

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/review"
	"github.com/tourniquet-ir/tourniquet/internal/signoff"
)

// Facts is all that our records hold of one run.
type Facts struct {
	Schema      string               `json:"schema"`
	Drill       bool                 `json:"drill"`            // nothing in it happened to a real key
	Retired     time.Time            `json:"retired,omitzero"` // when what was said in it was erased, because its time was over
	Run         incident.Run         `json:"run"`
	Summary     []Sentence           `json:"summary"`
	Alarm       *Alarm               `json:"alarm,omitempty"`
	Open        []Item               `json:"open"` // what is still open
	Indicators  []Indicator          `json:"indicators"`
	Impact      Impact               `json:"impact"`
	Deeds       []Deed               `json:"actions"` // what changed something, and who answers for it
	Curve       []Bucket             `json:"curve"`
	Review      review.Review        `json:"review"`
	Marks       []Mark               `json:"marks"`
	Money       []Figure             `json:"money"`
	Alerts      []database.Received  `json:"alerts"`
	Steps       []database.StepRow   `json:"steps"`
	Signoffs    []Signoff            `json:"signoffs"`
	Questions   []Question           `json:"questions"`
	Calls       []Receipt            `json:"calls"`
	InForce     []database.UndoRow   `json:"in_force"`
	Undone      []database.UndoRow   `json:"undone"`
	Used        []database.UndoRow   `json:"used"` // made, and in use by now: not to be taken back
	Evidence    []incident.Evidence  `json:"evidence"`
	Timeline    []Moment             `json:"timeline"`
	Ledger      []database.LedgerRow `json:"-"` // with its salts: for the bundle, not for readers
	LedgerFault string               `json:"ledger_fault,omitempty"`
	Zero        time.Time            `json:"zero"` // T+0: the first alert, or the start of a run that no alert started
}

// Signoff is one request as people saw it, with every attempt to decide it.
type Signoff struct {
	View     signoff.View       `json:"view"`
	Attempts []database.Attempt `json:"attempts"`
	Receipts []Receipt          `json:"receipts"`
}

// Question is one question with every attempt to answer it.
type Question struct {
	database.Question
	Attempts []database.Attempt `json:"attempts"`
}

// Load reads the facts of a run. An unknown run is a database.NotFoundError.
func Load(ctx context.Context, db *database.DB, run string) (*Facts, error) {
	r, err := db.Run(ctx, run)
	if err != nil {
		return nil, err
	}
	f := &Facts{Run: r}
	if f.Retired, err = db.Retired(ctx, run); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context, *database.DB) error{
		f.alerts, f.alarm, f.steps, f.undos, f.signoffs, f.questions, f.ledger,
	} {
		if err := read(ctx, db); err != nil {
			return nil, err
		}
	}
	f.tell()
	return f, nil
}

// tell derives everything that is said from what is recorded.
func (f *Facts) tell() {
	f.Schema, f.Drill, f.Zero = Schema, f.Run.World == incident.WorldDrill, f.zero()
	f.Marks, f.Money, f.Timeline = f.marks(), f.figures(), f.timeline()
	f.Indicators, f.Impact, f.Deeds, f.Curve = f.indicators(), f.impact(), f.deeds(), f.curve()
	f.Review = review.Read(f.Ledger)
	f.Open = f.standing()
	f.Summary = f.summary()
}

func (f *Facts) alerts(ctx context.Context, db *database.DB) (err error) {
	f.Alerts, err = db.AlertsOf(ctx, f.Run.Incident)
	return err
}

func (f *Facts) steps(ctx context.Context, db *database.DB) (err error) {
	if f.Steps, err = db.Steps(ctx, f.Run.ID); err != nil {
		return err
	}
	f.Evidence, err = db.EvidenceOf(ctx, f.Run.ID)
	return err
}

func (f *Facts) undos(ctx context.Context, db *database.DB) error {
	rows, err := db.Undos(ctx, f.Run.ID)
	if err != nil {
		return err
	}
	f.InForce, f.Undone, f.Used = []database.UndoRow{}, []database.UndoRow{}, []database.UndoRow{}
	for _, u := range rows {
		switch {
		case u.InForce():
			f.InForce = append(f.InForce, u)
		case u.UndoneAt.IsZero():
			f.Used = append(f.Used, u)
		default:
			f.Undone = append(f.Undone, u)
		}
	}
	return nil
}

func (f *Facts) signoffs(ctx context.Context, db *database.DB) error {
	views, err := db.Requests(ctx, f.Run.ID, false)
	if err != nil {
		return err
	}
	calls, err := db.Calls(ctx, f.Run.ID)
	if err != nil {
		return err
	}
	f.Calls, f.Signoffs = receipts(calls, views), []Signoff{}
	for _, v := range views {
		attempts, err := db.Attempts(ctx, v.Request)
		if err != nil {
			return err
		}
		f.Signoffs = append(f.Signoffs, Signoff{View: v, Attempts: attempts, Receipts: under(f.Calls, v.Request)})
	}
	return nil
}

func (f *Facts) questions(ctx context.Context, db *database.DB) error {
	rows, err := db.Questions(ctx, f.Run.ID, false)
	if err != nil {
		return err
	}
	f.Questions = []Question{}
	for _, q := range rows {
		attempts, err := db.Attempts(ctx, q.ID)
		if err != nil {
			return err
		}
		f.Questions = append(f.Questions, Question{Question: q, Attempts: attempts})
	}
	return nil
}

func (f *Facts) ledger(ctx context.Context, db *database.DB) (err error) {
	if f.Ledger, err = db.Ledger(ctx, f.Run.ID); err != nil {
		return err
	}
	if err := database.VerifyLedger(f.Ledger); err != nil {
		f.LedgerFault = err.Error()
	}
	return nil
}

func (f *Facts) zero() time.Time {
	if at := f.firstAlert(); !at.IsZero() {
		return at
	}
	return f.Run.StartedAt
}

// field reads one output of a step; it is nil where there is none.
func field(raw json.RawMessage, name string) any {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m[name]
}
