package evidence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

// ledger checks the chain line by line, so that the fault names the entry and not only the file.
func (v *verification) ledger(in io.Reader) error {
	c := chain.New(v.m.Run)
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for lines.Scan() {
		if c.Head() == v.m.Ledger {
			return fault(Added, ledgerName, "the ledger goes on after sequence %d, where it was signed to end", v.m.Ledger.Seq)
		}
		row, err := decodeRow(lines.Bytes())
		if err != nil {
			return ledgerFault(&chain.Damage{Run: v.m.Run, Seq: c.Head().Seq + 1, Kind: chain.Changed, What: err.Error()})
		}
		if d := c.Next(row); d != nil {
			readOn(d, lines)
			return ledgerFault(d)
		}
		v.sum.Entries++
	}
	if err := lines.Err(); err != nil {
		return fault(Changed, ledgerName, "%q cannot be read after sequence %d: %v", ledgerName, c.Head().Seq, err)
	}
	v.sum.Erased = c.Erased()
	var d *chain.Damage
	if errors.As(v.end(c), &d) {
		return ledgerFault(d)
	}
	return nil
}

// end compares the head. In a redacted bundle no body is there, so which of them were erased cannot be told.
func (v *verification) end(c *chain.Verifier) error {
	got, want := c.Head(), v.m.Ledger
	switch {
	case !v.m.Redacted:
		return c.End(&want)
	case got == want:
		return nil
	case got.Seq < want.Seq:
		return &chain.Damage{Run: v.m.Run, Seq: got.Seq + 1, Kind: chain.CutOff, What: fmt.Sprintf("the ledger is cut off, it should end at sequence %d", want.Seq)}
	}
	return &chain.Damage{Run: v.m.Run, Seq: got.Seq, Kind: chain.Changed, What: fmt.Sprintf("the ledger should end at sequence %d with another hash", want.Seq)}
}

// readOn looks whether a missing entry only stands further down.
func readOn(d *chain.Damage, lines *bufio.Scanner) {
	for lines.Scan() {
		var r struct {
			Seq int64 `json:"seq"`
		}
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			d.Later(r.Seq)
		}
	}
}

func decodeRow(line []byte) (chain.Row, error) {
	var r chain.Row
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("the line is not an entry: %w", err)
	}
	again, err := encodeRow(r)
	if err != nil || !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), line) {
		return r, errors.New("the line is not spelled as it was written")
	}
	return r, nil
}
