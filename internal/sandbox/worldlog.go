package sandbox

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// Effects that the world gives to a request, judged from the request and only when it was obeyed.
const (
	EffectObserve  = "observe"
	EffectNotify   = "notify"
	EffectUndoable = "undoable"
	EffectFinal    = "final"
	EffectUse      = "use"   // a model call that somebody other than the attacker made
	EffectAbuse    = "abuse" // a model call of the attacker that was paid for
	EffectLeak     = "leak"  // a key's value became public
)

// Entry is one line of the world log.
type Entry struct {
	T       time.Time `json:"t"`
	Service string    `json:"service"` // apikeys, serviceusage, monitoring, logging, gemini, openai-admin, openai, github, slack
	Method  string    `json:"method"`
	Path    string    `json:"path"` // never with its query
	Actor   string    `json:"actor"`
	Key     string    `json:"key"`    // the key's id, never its value
	Effect  string    `json:"effect"` // one of the Effect constants; empty when the request was refused
	Status  int       `json:"status"`
	USD     float64   `json:"usd"` // what the world charged for the request
}

// worldLog keeps entries in memory, writes them down and remembers how far subscribers have read.
type worldLog struct {
	entries   []Entry
	next      int // index of the first entry that subscribers have not seen
	subscribe []func(Entry)
	err       error
}

// Record appends an entry to the world log and tells the subscribers. A zero time becomes now, the query is cut
// off the path, and any key value in it is replaced. It must not be called while holding the world's lock.
func (w *World) Record(e Entry) {
	w.mu.Lock()
	w.recordLocked(e)
	w.mu.Unlock()
	w.deliver()
}

func (w *World) recordLocked(e Entry) {
	if e.T.IsZero() {
		e.T = w.Now()
	}
	e.T = e.T.UTC().Round(0)
	e.USD = math.Round(e.USD*1e6) / 1e6
	e.Path, _, _ = strings.Cut(e.Path, "?")
	for value, key := range w.values {
		e.Path = strings.ReplaceAll(e.Path, value, key.Hint())
	}
	w.log.entries = append(w.log.entries, e)
	if w.opt.Log == nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = w.opt.Log.Write(append(line, '\n'))
	}
	if err != nil && w.log.err == nil {
		w.log.err = err
	}
}

// LogError is the first error met while writing the world log, for the drill to report.
func (w *World) LogError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.err
}

// Subscribe has hook called with every later entry, in order. The hook may read the world but must not Record.
func (w *World) Subscribe(hook func(Entry)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log.subscribe = append(w.log.subscribe, hook)
}

// deliver hands the entries that subscribers have not seen to them, outside the lock of the state.
func (w *World) deliver() {
	w.deliverMu.Lock()
	defer w.deliverMu.Unlock()
	w.mu.Lock()
	fresh := slices.Clone(w.log.entries[w.log.next:])
	w.log.next = len(w.log.entries)
	hooks := slices.Clone(w.log.subscribe)
	w.mu.Unlock()
	for _, e := range fresh {
		for _, hook := range hooks {
			hook(e)
		}
	}
}

// Entries is a copy of the world log so far.
func (w *World) Entries() []Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log.entries)
}

// Spent is what the actor's calls have cost so far, in dollars.
func (w *World) Spent(actor string) float64 {
	var sum float64
	for _, e := range w.Entries() {
		if e.Actor == actor {
			sum += e.USD
		}
	}
	return math.Round(sum*1e6) / 1e6
}
