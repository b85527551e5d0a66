package console

import (
	"context"
	"net/http"
)

// Sealer takes new keys that people made by hand. The value goes under seal and nowhere else.
type Sealer interface {
	Seal(ctx context.Context, person, surface, question string, value []byte) (answer string, accepted bool, code string)
}

// seal takes the sealed form. What was typed is never rendered again.
func (c *Console) seal(w http.ResponseWriter, r *http.Request, s session) {
	if s.viewer() {
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

// apiSeal is the same for a machine with a personal token.
func (c *Console) apiSeal(w http.ResponseWriter, r *http.Request, s session) {
	var in struct {
		Value string `json:"value"`
	}
	if !read(w, r, &in) {
		return
	}
	answer, accepted, code := c.Desk.Seal(r.Context(), s.person.ID, SurfaceCLI, r.PathValue("id"), []byte(in.Value))
	c.watch.poke()
	if !accepted {
		problem(w, http.StatusConflict, code, answer)
		return
	}
	send(w, http.StatusOK, map[string]any{"accepted": true, "answer": answer})
}
