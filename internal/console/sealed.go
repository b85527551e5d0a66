package console

import (
	"context"
	"net/http"

	"github.com/tourniquet-ir/tourniquet/internal/people"
)

// Sealer takes new keys that people made by hand. The value goes under seal and nowhere else.
type Sealer interface {
	Seal(ctx context.Context, person, surface, question string, value []byte) (answer string, accepted bool, code string)
}

// seal takes the sealed form. What was typed is never rendered again.
func (c *Console) seal(w http.ResponseWriter, r *http.Request, s session) {
	if !s.may(people.Decide) {
		c.showQuestion(w, r, s, http.StatusForbidden, &answered{Sentence: lookOnly, Code: viewerOnly})
		return
	}
	value := []byte(r.PostFormValue("value"))
	r.PostForm.Del("value")
	r.Form.Del("value")
	sentence, accepted, code := c.Desk.Seal(r.Context(), s.person.ID, SurfaceConsole, r.PathValue("id"), value)
	status := http.StatusOK
	if !accepted {
		status = http.StatusConflict
	}
	c.watch.poke()
	c.showQuestion(w, r, s, status, &answered{sentence, accepted, code})
}
