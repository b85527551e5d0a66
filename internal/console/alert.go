package console

import (
	"net/http"

	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/lookout"
	"github.com/tourniquet-ir/tourniquet/playbooks"
)

// alertData is one alert: what it says, what was kept of it, what became of it, and what each playbook says to it.
type alertData struct {
	database.Received
	Finding incident.Finding
	Body    string
	Watch   bool // the usage watch raised it, and can draw why
	Said    []playbooks.Explained
}

// maxFinding is how much of a finding a page shows; the bundle has all of it.
const maxFinding = 20_000

func (c *Console) alert(w http.ResponseWriter, r *http.Request, s session) {
	a, err := c.DB.Alert(r.Context(), r.PathValue("id"))
	if err != nil {
		c.broken(w, s, err)
		return
	}
	d := alertData{Received: a}
	if d.Finding, err = c.DB.Finding(r.Context(), a.Alert.ID); err != nil {
		c.broken(w, s, err)
		return
	}
	d.Watch = a.Alert.Source == lookout.Source
	d.Body = string(d.Finding.Body[:min(len(d.Finding.Body), maxFinding)])
	if c.Explain != nil {
		d.Said = c.Explain(a.Alert)
	}
	c.render(w, s, http.StatusOK, "alert", "Alert", d)
}
