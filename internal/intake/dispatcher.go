package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tourniquet-ir/tourniquet/integrations/keys"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Queue is what the dispatcher reads and writes; *database.DB is one.
type Queue interface {
	Undispatched(ctx context.Context, limit int) ([]database.Pending, error)
	SettleAlerts(ctx context.Context, list []database.Pending, fate, reason, runID string) error
}

// Starter decides what becomes of a stored alert: it starts a run, joins one, or records why neither. It must be
// repeatable: a crash between Start and the note of its fate starts the same alert again. An error that is permanent
// (keys.Permanent) sets the alert aside, one marked Unavailable (or a time-out) is waited out for ever, any other is tried MaxTries times.
type Starter interface {
	Start(ctx context.Context, p database.Pending) (fate, reason, runID string, err error)
}

// UnavailableError says that what starts runs is down: no fault of the alert.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string { return e.Err.Error() }
func (e *UnavailableError) Unwrap() error { return e.Err }

// Unavailable marks err as an outage; nil stays nil.
func Unavailable(err error) error {
	if err == nil {
		return nil
	}
	return &UnavailableError{Err: err}
}

// DispatcherOptions configure a dispatcher.
type DispatcherOptions struct {
	Queue    Queue
	Starter  Starter
	Logger   *slog.Logger
	MaxTries int           // 20 when zero
	Every    time.Duration // how often it looks without being woken; 1 s when zero
	MaxWait  time.Duration // longest pause between two tries of one alert; 30 s when zero
	Timeout  time.Duration // for one start; 10 s when zero
	Gather   time.Duration // how often a storm about one incident is handed over; Every when zero
	Now      func() time.Time
}

const (
	batch  = 2000 // alerts of one source in one look
	atOnce = 8    // starts under way for one source
	burst  = 5    // hand-overs of one incident before a storm about it is gathered
)

// Dispatcher hands stored alerts to the starter. Sources are worked on side by side, so that none blocks another.
type Dispatcher struct {
	o    DispatcherOptions
	wake chan struct{}

	mu    sync.Mutex
	busy  map[string]bool   // sources at work
	tries map[string]*trial // by alert id
	paces map[string]*pace  // by incident
}

// NewDispatcher makes a dispatcher; Run works.
func NewDispatcher(o DispatcherOptions) *Dispatcher {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxTries == 0 {
		o.MaxTries = 20
	}
	if o.Every == 0 {
		o.Every = time.Second
	}
	if o.MaxWait == 0 {
		o.MaxWait = 30 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Gather == 0 {
		o.Gather = o.Every
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Dispatcher{o: o, wake: make(chan struct{}, 1), busy: map[string]bool{}, tries: map[string]*trial{}, paces: map[string]*pace{}}
}

// Wake makes the dispatcher look now. It never blocks; several calls become one.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends and returns when every start under way has ended.
func (d *Dispatcher) Run(ctx context.Context) {
	var lanes sync.WaitGroup
	defer lanes.Wait()
	tick := time.NewTicker(d.o.Every)
	defer tick.Stop()
	for {
		began := d.o.Now()
		d.pass(ctx, &lanes)
		// In a storm every alert wakes us, and a look costs more the more there is to see: answering must not wait for looking.
		if rest := min(4*d.o.Now().Sub(began), d.o.Every/10); rest > 0 {
			select {
			case <-ctx.Done():
				return
			case <-time.After(rest):
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-d.wake:
		}
	}
}

func (d *Dispatcher) pass(ctx context.Context, lanes *sync.WaitGroup) {
	waiting, err := d.o.Queue.Undispatched(ctx, batch)
	if err != nil {
		if ctx.Err() == nil {
			d.o.Logger.Error("alerts to dispatch cannot be read; they stay stored", "error", err.Error())
		}
		return
	}
	for source, list := range d.due(waiting) {
		lanes.Go(func() {
			up := d.lane(ctx, list)
			d.free(source)
			if up {
				d.Wake() // for what arrived while this source was at work
			}
		})
	}
}

// lane works on the alerts of one source, several incidents at a time and those of one incident in their order. In an outage
// the rest of the list would only wait for one time-out after the other, so it is left for later.
func (d *Dispatcher) lane(ctx context.Context, list []database.Pending) (up bool) {
	var incidents []string
	byIncident := map[string][]database.Pending{}
	for _, p := range list {
		if byIncident[p.Incident] == nil {
			incidents = append(incidents, p.Incident)
		}
		byIncident[p.Incident] = append(byIncident[p.Incident], p)
	}
	var down atomic.Bool
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, id := range incidents {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			for list := byIncident[id]; len(list) > 0; {
				if ctx.Err() != nil || down.Load() {
					return
				}
				n, up := d.several(ctx, list)
				if n == 0 && up {
					n, up = 1, d.one(ctx, list[0])
				}
				if !up {
					down.Store(true)
					return
				}
				list = list[n:]
			}
		})
	}
	all.Wait()
	return !down.Load()
}

func (d *Dispatcher) free(source string) {
	d.mu.Lock()
	delete(d.busy, source)
	d.mu.Unlock()
}

// one handles one alert; it returns false when what starts runs is down.
func (d *Dispatcher) one(ctx context.Context, p database.Pending) (up bool) {
	fate, reason, run, err := d.start(ctx, p)
	if err != nil && ctx.Err() != nil {
		return false // we are being stopped: the alert stays stored for the next time
	}
	if err != nil {
		failed, wait := d.failed(p.Alert.ID, err)
		if !keys.IsPermanent(err) && failed < d.o.MaxTries {
			d.o.Logger.Warn("alert not started yet", "alert", p.Alert.ID, "again_in", wait.String(), "error", err.Error())
			return !isOutage(err)
		}
		fate, run = incident.FateSetAside, ""
		reason = fmt.Sprintf("set aside after %d tries: %s", failed, err)
		d.o.Logger.Error("alert set aside", "alert", p.Alert.ID, "tries", failed, "error", err.Error())
	}
	if err := d.o.Queue.SettleAlerts(ctx, []database.Pending{p}, fate, reason, run); err != nil {
		d.o.Logger.Error("fate not noted; the alert is started again, which is harmless", "alert", p.Alert.ID, "error", err.Error())
		d.failed(p.Alert.ID, Unavailable(err))
		return true
	}
	d.mu.Lock()
	delete(d.tries, p.Alert.ID)
	d.mu.Unlock()
	return true
}

// isOutage reports whether err is no fault of the alert. A start that hangs counts as one.
func isOutage(err error) bool {
	var down *UnavailableError
	return errors.As(err, &down) || errors.Is(err, context.DeadlineExceeded)
}

// start calls the starter with a time-out; a panic over one hostile alert must not end the others.
func (d *Dispatcher) start(ctx context.Context, p database.Pending) (fate, reason, run string, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.o.Timeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = keys.Permanent(errors.New("the alert crashed what starts runs"))
			d.o.Logger.Error("panic while starting an alert", "alert", p.Alert.ID, "panic", fmt.Sprint(r))
		}
	}()
	if fate, reason, run, err = d.o.Starter.Start(ctx, p); err == nil && fate == "" {
		err = keys.Permanent(errors.New("the alert was given no fate"))
	}
	return fate, reason, run, err
}

// failed notes a failure and doubles the pause before the next try.
func (d *Dispatcher) failed(id string, err error) (failed int, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tries[id]
	if t == nil {
		t = &trial{wait: d.o.Every / 2}
		d.tries[id] = t
	}
	if !isOutage(err) {
		t.failed++
	}
	t.wait = min(t.wait*2, d.o.MaxWait)
	t.next = d.o.Now().Add(t.wait)
	return t.failed, t.wait
}
