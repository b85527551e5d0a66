package evidence

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
)

// Kinds of fault.
const (
	Changed       = "changed"
	Removed       = "removed"
	Added         = "added"
	LedgerChanged = "ledger_changed"
	LedgerMissing = "ledger_entry_missing"
	Reordered     = "ledger_reordered"
	CutOff        = "ledger_cut_off"
	UnknownKey    = "unknown_key"
	BadSignature  = "bad_signature"
	Duplicate     = "duplicate_name"
	BadPath       = "bad_path"
	TooLarge      = "too_large"
	Stray         = "stray_bytes" // bytes of the zip that belong to no file
	BadFormat     = "bad_format"
)

// Fault is one reason not to trust a bundle. Several come joined: errors.As finds the first.
type Fault struct {
	Kind string
	Name string // of the file
	Seq  int64  // of the ledger entry, where it is one
	What string
}

func (f *Fault) Error() string { return f.What }

func fault(kind, name, format string, args ...any) *Fault {
	return &Fault{Kind: kind, Name: name, What: fmt.Sprintf(format, args...)}
}

func ledgerFault(d *chain.Damage) *Fault {
	kind := map[string]string{chain.Changed: LedgerChanged, chain.Missing: LedgerMissing, chain.Reordered: Reordered,
		chain.CutOff: CutOff}[d.Kind]
	return &Fault{Kind: kind, Name: ledgerName, Seq: d.Seq, What: d.Error()}
}

// names refuses what another unpacker could take for a second file of the same name or for a way out of its folder.
type names map[string]bool

func (n names) add(name string) error {
	bad := strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`\:*?"<>|`, r) })
	if bad || !fs.ValidPath(name) || name == "." || len(name) > maxName {
		return fault(BadPath, name, "the name %q is not a plain relative path", name)
	}
	folded := strings.ToLower(name)
	if n[folded] {
		return fault(Duplicate, name, "the name %q appears twice", name)
	}
	n[folded] = true
	return nil
}
