package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tourniquet-ir/tourniquet/internal/evidence"
	"github.com/tourniquet-ir/tourniquet/internal/seal"
)

func (sh *shell) evidenceCmd() *cobra.Command {
	keys := &cobra.Command{Use: "keys", Short: "Print the public keys of this installation, for whoever verifies its bundles", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			own, err := sh.ownKeys()
			if err != nil {
				return err
			}
			return sh.printJSON(own)
		}}
	return group("evidence", "A run's evidence: take it out, check it anywhere", online(sh.exportCmd()), sh.verifyCmd(), keys)
}

func (sh *shell) exportCmd() *cobra.Command {
	var out string
	var redact bool
	var keep []string
	c := &cobra.Command{Use: "export RUN --out FILE", Short: "Save the signed bundle of a run",
		Long: "Save the signed bundle of a run. With --redact the bodies of ledger entries and all files that no --keep names are withheld; what is left still verifies. Every export is an entry of the run's ledger.", Args: one("the id of a run"), ValidArgsFunction: sh.ids("/v1/runs"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return misuse("exporting needs --out, for example --out bundle.zip")
			}
			if len(keep) > 0 && !redact {
				return misuse("--keep says what a redacted bundle tells: add --redact")
			}
			r, err := sh.remote(cmd)
			if err != nil {
				return err
			}
			from := runPath(args[0], "evidence")
			if redact {
				from += "?" + url.Values{"redact": {"true"}, "keep": keep}.Encode()
			}
			n, err := save(out, func(w io.Writer) (int64, error) { return r.load(cmd.Context(), from, w) })
			if err != nil {
				return err
			}
			if sh.JSON {
				return sh.printJSON(map[string]any{"run_id": args[0], "file": out, "bytes": n})
			}
			sh.talk("check it with: tourniquet evidence verify %s --key KEYS; the keys come from: tourniquet evidence keys", out)
			return sh.say("%s", out)
		}}
	c.Flags().StringVar(&out, "out", "", "file to write")
	c.Flags().BoolVar(&redact, "redact", false, "withhold bodies and files; commitments stay")
	c.Flags().StringArrayVar(&keep, "keep", nil, "with --redact: pattern of files to tell, for example 'signoffs/*' (repeatable)")
	return c
}

// save puts a file in place whole or not at all.
func save(path string, write func(io.Writer) (int64, error)) (n int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tourniquet-*")
	if err != nil {
		return 0, fmt.Errorf("nothing can be written beside %q: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // half a file helps nobody
		}
	}()
	n, err = write(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return n, err
	}
	return n, os.Rename(f.Name(), path)
}

func (sh *shell) verifyCmd() *cobra.Command {
	var keyFile, keysFile string
	c := &cobra.Command{Use: "verify FILE --key KEYS", Short: "Check a bundle offline, with public keys only", Args: one("the bundle"),
		Long: "Check a bundle offline, with public keys only: a JSON file of key ids with their Ed25519 keys in base64, as \"tourniquet evidence keys\" prints it. Without --key this installation's own keys are used.",
		RunE: func(_ *cobra.Command, args []string) error {
			if keyFile == "" {
				keyFile = keysFile
			}
			trusted, err := sh.trusted(keyFile)
			if err != nil {
				return err
			}
			f, err := os.Open(args[0]) //nolint:gosec // the path is the caller's own
			if err != nil {
				return misuse("the bundle %q cannot be read", args[0])
			}
			defer func() { _ = f.Close() }()
			info, err := f.Stat()
			if err != nil || !info.Mode().IsRegular() {
				return misuse("%q is not a file", args[0])
			}
			sum, err := evidence.Verify(f, info.Size(), trusted)
			return sh.verified(args[0], sum, err)
		}}
	c.Flags().StringVar(&keyFile, "key", "", "JSON file of public keys: id to base64")
	c.Flags().StringVar(&keysFile, "keys", "", "the same as --key")
	c.MarkFlagsMutuallyExclusive("key", "keys")
	return c
}

// trusted reads public keys from a file, or takes this installation's own.
func (sh *shell) trusted(path string) (map[string]ed25519.PublicKey, error) {
	var texts map[string]string
	if path == "" {
		own, err := sh.ownKeys()
		if err != nil {
			return nil, misuse("give the public keys with --key: %v", err)
		}
		texts = own
	} else {
		body, err := os.ReadFile(path) //nolint:gosec // the path is the caller's own
		if err != nil {
			return nil, misuse("the file of public keys %q cannot be read", path)
		}
		if json.Unmarshal(body, &texts) != nil || len(texts) == 0 {
			return nil, misuse("%q is not a JSON object of key ids with their public keys in base64; make it with: tourniquet evidence keys", path)
		}
	}
	out := map[string]ed25519.PublicKey{}
	for id, text := range texts {
		raw, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, misuse("the key %q is not an Ed25519 public key in base64", id)
		}
		out[id] = raw
	}
	return out, nil
}

// ownKeys reads the installation's signing file and never makes one.
func (sh *shell) ownKeys() (map[string]string, error) {
	c, err := sh.configOrDefaults()
	if err != nil {
		return nil, err
	}
	path := signerPath(c)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no signing key at %q yet; the first start of serve makes it", path)
	}
	s, err := seal.LoadOrCreateSigner(path)
	if err != nil {
		return nil, err
	}
	return s.PublicKeys(), nil
}

// badPart is one reason not to trust a bundle, for scripts.
type badPart struct {
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	Seq  int64  `json:"seq,omitempty"`
	What string `json:"what"`
}

func (sh *shell) verified(name string, sum evidence.Summary, err error) error {
	if err != nil {
		return sh.notVerified(name, err)
	}
	if sh.JSON {
		return sh.printJSON(struct {
			Verified bool `json:"verified"`
			evidence.Summary
		}{true, sum})
	}
	gone := fmt.Sprintf("%d entries, %d with an erased body", sum.Entries, sum.Erased)
	if sum.Redacted {
		gone = fmt.Sprintf("%d entries, %d with a withheld body", sum.Entries, sum.Erased)
	}
	return sh.table([]string{"bundle", name + " is whole and signed"}, [][]string{
		{"run", sum.Run}, {"made", stamp(sum.Made)}, {"signed with", sum.KeyID}, {"files", fmt.Sprintf("%d, %d bytes; %d withheld", sum.Files, sum.Bytes, sum.Withheld)},
		{"ledger", gone}, {"head", sum.Head.Hash},
	})
}

func (sh *shell) notVerified(name string, err error) error {
	parts := badParts(err)
	if sh.JSON {
		if err := sh.printJSON(map[string]any{"verified": false, "faults": parts}); err != nil {
			return err
		}
		return fmt.Errorf("%q must not be trusted", name)
	}
	var rows [][]string
	for _, p := range parts {
		rows = append(rows, []string{p.Kind, p.Name, p.What})
	}
	if err := sh.table([]string{"FAULT", "FILE", "WHAT"}, rows); err != nil {
		return err
	}
	return fmt.Errorf("%q must not be trusted", name)
}

// badParts takes joined faults apart.
func badParts(err error) []badPart {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // errors.Join has no other door
		var out []badPart
		for _, e := range joined.Unwrap() {
			out = append(out, badParts(e)...)
		}
		return out
	}
	var f *evidence.Fault
	if errors.As(err, &f) {
		return []badPart{{f.Kind, f.Name, f.Seq, f.What}}
	}
	return []badPart{{Kind: "unreadable", What: err.Error()}}
}
