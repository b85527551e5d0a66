package evidence_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/database/chain"
	"github.com/tourniquet-ir/tourniquet/internal/evidence"
)

// noise is bytes that do not pack: a block of random ones, longer than what a packer looks back at, over and over.
type noise struct {
	block []byte
	at    int
}

func (n *noise) Read(p []byte) (int, error) {
	done := copy(p, n.block[n.at:])
	n.at = (n.at + done) % len(n.block)
	return done, nil
}

// large writes a signed bundle of so many MiB and says who signed it.
func large(tb testing.TB, mebibytes int64) (*os.File, int64, map[string]ed25519.PublicKey) {
	tb.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	block := make([]byte, 1<<20)
	if _, err := rand.Read(block); err != nil {
		tb.Fatal(err)
	}
	salt := []byte("0123456789abcdef0123456789abcdef")
	row := chain.Row{Run: "run-1", Seq: 1, ID: "a", Kind: "run.started", Actor: "system", At: time.Unix(1_800_000_000, 0).UTC(), Salt: salt, Body: []byte(`{}`), Commitment: chain.Commit(salt, []byte(`{}`))}
	row.Seal()
	const files = 8
	b := evidence.Bundle{Run: "run-1", Made: row.At, Ledger: []chain.Row{row}, Head: chain.Head{Seq: 1, Hash: row.Hash}}
	for i := range files {
		b.Files = append(b.Files, evidence.File{Name: "evidence/" + big.NewInt(int64(i)).String(), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(&noise{block: block, at: i}, mebibytes<<20/files)), nil
		}})
	}
	f, err := os.Create(filepath.Join(tb.TempDir(), "bundle.zip"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() }) // the folder goes anyway
	if err := evidence.Write(f, b, priv, "k1"); err != nil {
		tb.Fatal(err)
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		tb.Fatal(err)
	}
	return f, size, map[string]ed25519.PublicKey{"k1": pub}
}

// allocated is all memory that was ever asked for while do ran.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// It does not run beside others: what they allocate would be counted, too.
func TestVerifyingTakesTheSameMemoryForAnyBundle(t *testing.T) { //nolint:paralleltest // see above
	cost := func(mebibytes int64) uint64 {
		f, size, trusted := large(t, mebibytes)
		return allocated(func() {
			sum, err := evidence.Verify(f, size, trusted)
			if err != nil || sum.Bytes < mebibytes<<20 {
				t.Fatalf("a bundle of %d MiB: %v, %d bytes", mebibytes, err, sum.Bytes)
			}
		})
	}
	small, big := cost(1), cost(128)
	if big > small+1<<20 || big > 8<<20 {
		t.Errorf("128 MiB took %d bytes of memory in all, 1 MiB took %d", big, small)
	}
}

// BenchmarkVerify is of 1 GiB: go test ./internal/evidence -run none -bench Verify
func BenchmarkVerify(b *testing.B) {
	f, size, trusted := large(b, 1024)
	b.SetBytes(1 << 30) // what is inside; size is little more, because noise does not pack
	b.ReportAllocs()
	for b.Loop() {
		if _, err := evidence.Verify(f, size, trusted); err != nil {
			b.Fatal(err)
		}
	}
}
