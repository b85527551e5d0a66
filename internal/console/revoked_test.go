package console_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/report/reporttest"
)

func TestASessionEndsWithTheTokenThatOpenedItAndWithItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	for after, want := range map[time.Duration]int{8*time.Hour - time.Second: http.StatusOK, 8 * time.Hour: http.StatusSeeOther} {
		later := w.beside(func() time.Time { return reporttest.Start().Add(40*time.Minute + after) })
		if res, _ := b.at(later).do("GET", "/", nil); res.StatusCode != want {
			t.Errorf("after %s a session is answered %d, want %d", after, res.StatusCode, want)
		}
	}
	w.desk.set(w.token, incident.Person{})
	if res, _ := b.do("GET", "/", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after its token was revoked a session is answered %d", res.StatusCode)
	}
}
