package main

import (
	"math"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/watch"
)

// fixedCap alarms when an hour costs more than a fixed amount: what a budget mail would do if it came at once.
type fixedCap struct {
	limit float64 // dollars an hour
	hour  []watch.Row
}

func (c *fixedCap) poll(now time.Time, b watch.Row) bool {
	c.hour = append(c.hour, b)
	total := int64(0)
	for len(c.hour) > 0 && !c.hour[0].At.After(now.Add(-time.Hour)) {
		c.hour = c.hour[1:]
	}
	for _, x := range c.hour {
		total += x.Micro
	}
	return float64(total)/1e6 > c.limit
}

func (c *fixedCap) clone() rule { return &fixedCap{c.limit, append([]watch.Row(nil), c.hour...)} }

// sigma alarms when a bucket lies three standard deviations above the mean of all before it.
type sigma struct{ n, mean, m2 float64 }

func (s *sigma) poll(_ time.Time, b watch.Row) bool {
	v := float64(b.Micro)
	alarm := s.n > 100 && v > s.mean+3*math.Sqrt(s.m2/s.n)
	s.n++
	d := v - s.mean
	s.mean += d / s.n
	s.m2 += d * (v - s.mean)
	return alarm
}

func (s *sigma) clone() rule { c := *s; return &c }

func (*fixedCap) forgive(time.Time) {}
func (*sigma) forgive(time.Time)    {}
