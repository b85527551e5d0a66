package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Count is how many records share two properties.
type Count struct {
	A, B string
	N    int
}

// Standing is how the records stand: alerts by source and fate, runs by state and outcome.
type Standing struct {
	Alerts, Runs             []Count
	OpenSignoffs, OpenAsking int
}

const (
	keptFor  = 10 * time.Second // a page that is asked more often is answered from memory
	readWith = 5 * time.Second
)

// records reads the standing when somebody looks. It survives restarts, because it is our records' own count.
type records struct {
	read func(context.Context) (Standing, error)
	now  func() time.Time

	mu   sync.Mutex
	at   time.Time
	last Standing
	good bool

	alerts, runs, open, readable *prometheus.Desc
}

// Records adds the standing of the records to the page.
func (m *Metrics) Records(read func(context.Context) (Standing, error), now func() time.Time) {
	m.registry.MustRegister(&records{
		read: read, now: now,
		alerts:   prometheus.NewDesc("tourniquet_alerts", "Alerts in the records, by source and by what became of them.", []string{"source", "fate"}, nil),
		runs:     prometheus.NewDesc("tourniquet_runs", "Runs in the records, by state and, where they ended, by outcome.", []string{"state", "outcome"}, nil),
		open:     prometheus.NewDesc("tourniquet_waiting_for_people", "What waits for people: open sign-offs, unanswered questions.", []string{"what"}, nil),
		readable: prometheus.NewDesc("tourniquet_records_readable", "1 where the records could be counted at the last look; 0 leaves the other counts out.", nil, nil),
	})
}

func (r *records) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{r.alerts, r.runs, r.open, r.readable} {
		to <- d
	}
}

func (r *records) Collect(to chan<- prometheus.Metric) {
	s, good := r.standing()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if !good {
		gauge(r.readable, 0)
		return
	}
	gauge(r.readable, 1)
	for _, c := range s.Alerts {
		gauge(r.alerts, float64(c.N), c.A, c.B)
	}
	for _, c := range s.Runs {
		gauge(r.runs, float64(c.N), c.A, c.B)
	}
	gauge(r.open, float64(s.OpenSignoffs), "signoff")
	gauge(r.open, float64(s.OpenAsking), "question")
}

func (r *records) standing() (Standing, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); r.at.IsZero() || now.Sub(r.at) >= keptFor {
		ctx, cancel := context.WithTimeout(context.Background(), readWith)
		defer cancel()
		s, err := r.read(ctx)
		r.at, r.last, r.good = now, s, err == nil
	}
	return r.last, r.good
}
