package chain

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Kinds of damage.
const (
	Changed   = "changed"
	Missing   = "missing"
	Reordered = "reordered"
	CutOff    = "cut_off"
)

// Damage names the first entry at which a ledger stops being the one that was written.
type Damage struct {
	Run  string
	Seq  int64
	Kind string
	What string
}

func (d *Damage) Error() string {
	return fmt.Sprintf("ledger of run %q is damaged at sequence %d: %s", d.Run, d.Seq, d.What)
}

// Verifier checks a ledger entry by entry, in order, holding only the head and the erased sequences.
type Verifier struct {
	run     string
	head    Head
	missing []int64 // bodies that are gone
	excused []int64 // bodies that an entry says were erased
}

// New starts at the first entry of a run.
func New(run string) *Verifier { return &Verifier{run: run} }

// Head is where the verified part ends.
func (v *Verifier) Head() Head { return v.head }

// Erased counts the bodies that were erased.
func (v *Verifier) Erased() int { return len(v.missing) }

// Next checks one entry against the one before it; nil is good.
func (v *Verifier) Next(r Row) *Damage {
	want := v.head.Seq + 1
	switch {
	case r.Run != v.run:
		return v.damage(want, Changed, fmt.Sprintf("the entry belongs to run %q", r.Run))
	case r.Seq > want:
		return v.damage(want, Missing, fmt.Sprintf("the entry is missing, sequence %d follows instead", r.Seq))
	case r.Seq < want:
		return v.damage(want, Reordered, fmt.Sprintf("the entries are reordered, sequence %d stands here", r.Seq))
	case r.Prev != v.head.Hash:
		return v.damage(want, Changed, "the entry does not continue the one before it")
	case r.digest() != r.Hash:
		return v.damage(want, Changed, "the entry was changed after it was written")
	}
	if d := v.body(r); d != nil {
		return d
	}
	v.head = Head{Seq: r.Seq, Hash: r.Hash}
	return nil
}

func (v *Verifier) body(r Row) *Damage {
	if len(r.Body) == 0 && len(r.Salt) == 0 {
		v.missing = append(v.missing, r.Seq)
		return nil
	}
	canonical, err := Canonical(r.Body)
	if err != nil || len(r.Body) == 0 || Commit(r.Salt, canonical) != r.Commitment {
		return v.damage(r.Seq, Changed, "the body is not the one that was written")
	}
	if r.Kind != KindErased {
		return nil
	}
	var e Erased
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return v.damage(r.Seq, Changed, "the note of an erasure names no sequence")
	}
	v.excused = append(v.excused, e.Seq)
	return nil
}

// End checks what only the whole ledger shows: the head (nil where none is known) and that every missing body is
// covered by an entry that says so.
func (v *Verifier) End(head *Head) error {
	for _, seq := range v.missing {
		if !slices.Contains(v.excused, seq) {
			return v.damage(seq, Changed, "the body is gone and no later entry says that it was erased")
		}
	}
	if head == nil || *head == v.head {
		return nil
	}
	if head.Seq > v.head.Seq {
		return v.damage(v.head.Seq+1, CutOff, fmt.Sprintf("the ledger is cut off, it should end at sequence %d", head.Seq))
	}
	return v.damage(v.head.Seq, Changed, fmt.Sprintf("the ledger should end at sequence %d with another hash", head.Seq))
}

// Verify checks a whole ledger; head is nil where none is known.
func Verify(rows []Row, head *Head) error {
	if len(rows) == 0 {
		return New("").End(head)
	}
	v := New(rows[0].Run)
	for i, r := range rows {
		d := v.Next(r)
		if d == nil {
			continue
		}
		for _, later := range rows[i:] {
			d.Later(later.Seq)
		}
		return d
	}
	return v.End(head)
}

// Later tells a gap from a change of order: whoever reads on after a Missing reports the sequences that still come.
func (d *Damage) Later(seq int64) {
	if d.Kind == Missing && seq == d.Seq {
		d.Kind, d.What = Reordered, "the entries are reordered, this one stands further down"
	}
}

func (v *Verifier) damage(seq int64, kind, what string) *Damage {
	return &Damage{Run: v.run, Seq: seq, Kind: kind, What: what}
}
