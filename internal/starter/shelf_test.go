package starter_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/starter"
)

// desk is a folder of playbooks on disk.
type desk struct {
	t    *testing.T
	path string
}

func newDesk(t *testing.T) desk {
	d := desk{t, t.TempDir()}
	d.write("leak.yaml", `alert.kind == "key.leaked"`)
	return d
}

func (d desk) write(name, trigger string) {
	d.t.Helper()
	must(d.t, os.WriteFile(filepath.Join(d.path, name), playbook(strings.TrimSuffix(name, ".yaml"), trigger).Data, 0o600))
}

func (d desk) spoil(name string) {
	d.t.Helper()
	must(d.t, os.WriteFile(filepath.Join(d.path, name), []byte("schema: tourniquet/v1\nid: leak\ntitle: t\nstepz: []\n"), 0o600))
}

func (d desk) open() *starter.Shelf {
	d.t.Helper()
	return got[*starter.Shelf](d.t)(starter.OpenShelf(os.DirFS(d.path), world()))
}

func trigger(t *testing.T, s *starter.Shelf, id string) string {
	t.Helper()
	p, ok := s.Library().Find(id)
	if !ok {
		return ""
	}
	return p.Trigger
}

func TestAChangedFolderIsReadAgainAndABrokenOneLeavesTheLastGoodVersion(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.open()
	if changed := got[bool](t)(s.Read(noon)); changed {
		t.Error("nothing changed, and it was read again")
	}
	d.write("leak.yaml", `alert.severity == "high"`)
	if changed := got[bool](t)(s.Read(noon)); !changed || trigger(t, s, "leak") != `alert.severity == "high"` {
		t.Errorf("the edit is not in force: %q", trigger(t, s, "leak"))
	}
	d.spoil("leak.yaml")
	changed, err := s.Read(noon)
	var broken *starter.Broken
	if !changed || !errors.As(err, &broken) || !strings.HasPrefix(err.Error(), "leak.yaml:1:1: ") && !strings.HasPrefix(err.Error(), "leak.yaml:4:1: ") {
		t.Fatalf("the broken edit is told as %v", err)
	}
	if trigger(t, s, "leak") != `alert.severity == "high"` || s.Trouble() == nil || !s.Trouble().Since.Equal(noon) {
		t.Errorf("serving %q, trouble %+v", trigger(t, s, "leak"), s.Trouble())
	}
	if changed, _ := s.Read(noon.Add(time.Hour)); changed {
		t.Error("the same trouble was told twice")
	}
	d.write("leak.yaml", `alert.severity == "high"`)
	if changed := got[bool](t)(s.Read(noon)); !changed || s.Trouble() != nil {
		t.Errorf("after the mend the trouble is %+v", s.Trouble())
	}
}

func TestAFolderThatLosesItsLastPlaybookServesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.open()
	must(t, os.Remove(filepath.Join(d.path, "leak.yaml")))
	if _, err := s.Read(noon); err == nil || trigger(t, s, "leak") == "" {
		t.Errorf("an empty folder gives %v and serves %d", err, len(s.Library().Programs))
	}
	must(t, os.Remove(d.path))
	if _, err := s.Read(noon); err == nil || trigger(t, s, "leak") == "" {
		t.Errorf("a folder that is gone gives %v and serves %d", err, len(s.Library().Programs))
	}
}

func TestTwoPlaybooksOfOneIDAndFilesThatAreNoFilesAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.open()
	must(t, os.WriteFile(filepath.Join(d.path, "twin.yaml"), playbook("leak", "").Data, 0o600))
	if _, err := s.Read(noon); err == nil || !strings.Contains(err.Error(), `twin.yaml: the id "leak"`) {
		t.Errorf("two of one id: %v", err)
	}
	must(t, os.Remove(filepath.Join(d.path, "twin.yaml")))
	must(t, os.Mkdir(filepath.Join(d.path, "folder.yaml"), 0o700))
	if _, err := s.Read(noon); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder named like a playbook: %v", err)
	}
}

func TestAStartThatIsRepeatedKeepsThePlaybookThatWasWrittenDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.open()
	r := newRoom(t, one())
	r.Library, r.Compile = s.Library, s.Compile
	p := r.store(t, leaked("1"))
	r.engine.err = errors.New("away")
	if _, _, _, err := r.Start(context.Background(), p); err == nil {
		t.Fatal("the start succeeded without an engine")
	}
	was, _ := s.Library().Find("leak")
	d.write("leak.yaml", `alert.severity == "critical"`)
	if changed := got[bool](t)(s.Read(noon)); !changed {
		t.Fatal("the edit was not seen")
	}
	r.engine.err = nil
	fate, _, id := r.start(t, p)
	if fate != incident.FateStarted || len(r.engine.starts) != 1 || r.engine.starts[0].Program.Digest != was.Digest {
		t.Fatalf("%s with %+v", fate, r.engine.starts)
	}
	if run := got[incident.Run](t)(r.db.Run(context.Background(), id)); run.Digest != was.Digest {
		t.Errorf("the records say %s", run.Digest)
	}
}

// diary is a log that a test can wait for.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case d.more <- struct{}{}:
	default:
	}
	return d.text.Write(p)
}

func (d *diary) await(t *testing.T, words string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		d.mu.Lock()
		found := strings.Contains(d.text.String(), words)
		d.mu.Unlock()
		if found {
			return
		}
		select {
		case <-d.more:
		case <-late:
			t.Fatalf("the log never says %q:\n%s", words, d.text.String())
		}
	}
}

func watched(t *testing.T, d desk, path string, p starter.Pace) (*starter.Shelf, *diary) {
	t.Helper()
	s := got[*starter.Shelf](t)(starter.OpenShelf(os.DirFS(path), world()))
	log := &diary{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Watch(ctx, path, p, slog.New(slog.NewTextHandler(log, nil))) }()
	t.Cleanup(func() { cancel(); <-done })
	return s, log
}

func TestAWatchedFolderTakesEditsAndTellsBrokenOnesWithTheirPlace(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s, log := watched(t, d, d.path, starter.Pace{Settle: 20 * time.Millisecond, Look: 50 * time.Millisecond})
	d.write("spend.yaml", `alert.kind == "spend.threshold"`)
	log.await(t, "in force for new runs")
	if trigger(t, s, "spend") == "" {
		t.Error("the new playbook does not answer")
	}
	d.spoil("leak.yaml")
	log.await(t, "leak.yaml:")
	if trigger(t, s, "leak") == "" || trigger(t, s, "spend") == "" {
		t.Error("the last good versions do not serve on")
	}
}

func TestAChangeIsSeenAtOnceWithoutLooking(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, log := watched(t, d, d.path, starter.Pace{Settle: 10 * time.Millisecond, Look: time.Hour})
	// The watch begins in its own time, so the file is written until it is seen.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	stop := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = os.WriteFile(filepath.Join(d.path, "spend.yaml"), playbook("spend", "").Data, 0o600)
			}
		}
	}()
	log.await(t, "in force for new runs")
	close(stop)
}

func TestASwappedFolderIsSeen(t *testing.T) {
	t.Parallel()
	one, two := newDesk(t), newDesk(t)
	two.write("leak.yaml", `alert.severity == "critical"`)
	mount := filepath.Join(t.TempDir(), "playbooks") // as a mounted ConfigMap: a link that is swapped for another
	must(t, os.Symlink(one.path, mount))
	s, log := watched(t, one, mount, starter.Pace{Settle: 10 * time.Millisecond, Look: 30 * time.Millisecond})
	must(t, os.Symlink(two.path, mount+".new"))
	must(t, os.Rename(mount+".new", mount))
	log.await(t, "in force for new runs")
	if trigger(t, s, "leak") != `alert.severity == "critical"` {
		t.Errorf("serving %q", trigger(t, s, "leak"))
	}
	two.write("leak.yaml", `alert.severity == "low"`)
	for late := time.Now().Add(20 * time.Second); trigger(t, s, "leak") != `alert.severity == "low"` && time.Now().Before(late); {
		<-log.more
	}
	if trigger(t, s, "leak") != `alert.severity == "low"` {
		t.Errorf("an edit in the new folder is not seen: %q", trigger(t, s, "leak"))
	}
}
