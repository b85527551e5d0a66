package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// entry is one line of the world log.
type entry struct {
	T       time.Time `json:"t"`
	Service string    `json:"service"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Actor   string    `json:"actor"`
	Key     string    `json:"key"`
	Effect  string    `json:"effect"`
	Status  int       `json:"status"`
	USD     float64   `json:"usd"`
}

func (e entry) String() string {
	return fmt.Sprintf("%s %s %s (%s)", e.Service, e.Method, e.Path, e.T.Format("15:04:05.000"))
}

// obeyed reports whether the service did what was asked.
func (e entry) obeyed() bool { return e.Status < 400 }

// told is what the drill says about itself.
type told struct {
	Scenario string               `json:"scenario"`
	RunID    string               `json:"run_id"`
	Outcome  string               `json:"outcome"`
	Expected string               `json:"expected"`
	Steps    []step               `json:"steps"`
	Signoffs []signoff            `json:"signoffs"`
	Marks    map[string]time.Time `json:"-"`
	USD      map[string]*float64  `json:"usd"`
}

type step struct {
	ID     string `json:"id"` // path: replace/rotate[0]/hand_over
	Action string `json:"action"`
	Effect string `json:"effect"`
	Status string `json:"status"`
}

type signoff struct {
	ID        string     `json:"id"`
	Step      string     `json:"step"`
	State     string     `json:"state"`
	Digest    string     `json:"digest"`
	Decisions []decision `json:"decisions"`
	Calls     []planned  `json:"calls"`
}

type decision struct {
	By       string `json:"by"`
	Decision string `json:"decision"`
}

// planned is one frozen call of a sign-off.
type planned struct {
	Step   string `json:"step"`
	Action string `json:"action"`
	Effect string `json:"effect"`
	Target string `json:"target"`
}

// trial is everything that is judged.
type trial struct {
	log  []entry // in order of time
	told told
}

func open(world, drill string) (*trial, error) {
	if world == "" || drill == "" {
		return nil, errors.New("both --world FILE and --drill FILE are needed")
	}
	c := &trial{}
	for path, read := range map[string]func(io.Reader) error{world: c.readLog, drill: c.readTold} {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		err = read(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return c, nil
}

func (c *trial) readLog(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("line %d is not a world log entry: %w", n, err)
		}
		if e.T.IsZero() || e.Service == "" {
			return fmt.Errorf("line %d has no time or no service", n)
		}
		c.log = append(c.log, e)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(c.log) == 0 {
		return errors.New("the world log is empty: nothing happened, so nothing can be judged")
	}
	slices.SortStableFunc(c.log, func(a, b entry) int { return a.T.Compare(b.T) })
	return nil
}

// readTold takes unset marks written as null or "" for unknown.
func (c *trial) readTold(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &c.told); err != nil {
		return fmt.Errorf("it is not the JSON of a drill: %w", err)
	}
	var marks struct {
		Marks map[string]*string `json:"marks"`
	}
	if err := json.Unmarshal(raw, &marks); err != nil {
		return fmt.Errorf("its marks are not times: %w", err)
	}
	c.told.Marks = map[string]time.Time{}
	for name, text := range marks.Marks {
		if text == nil || *text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, *text)
		if err != nil {
			return fmt.Errorf("the mark %q is not an RFC 3339 time: %w", name, err)
		}
		if !at.IsZero() {
			c.told.Marks[name] = at
		}
	}
	return nil
}
