package console

import (
	"net/http"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

// Setup is how the installation is set up, without secrets: who is who, who may what, who sends alerts, what policy says.
type Setup struct {
	Mode     string
	Version  string
	Persons  []incident.Person
	Tokens   map[string]Token // by person: the newest personal token
	Groups   []GroupRow
	Sources  []SourceRow
	Accounts []string // provider and name
	Policy   string   // as YAML
	SignOn   string
}

// Token says that somebody has a personal token; the token itself is not known to us.
type Token struct {
	IssuedBy string
	At       time.Time
	Until    time.Time
	Count    int
}

// GroupRow is a group with its members as they were last read.
type GroupRow struct {
	Name, Usergroup string
	Members         []string
	Trouble         string
}

// SourceRow is a configured source of alerts.
type SourceRow struct{ Name, Trust, Proof string }

// Holds lists the roles of a person.
func (Setup) Holds(p incident.Person) []string { return people.RolesOf(p) }

func (c *Console) setupPage(w http.ResponseWriter, r *http.Request, s session) {
	d := Setup{}
	if c.Setup != nil {
		var err error
		if d, err = c.Setup(r.Context()); err != nil {
			c.broken(w, s, err)
			return
		}
	}
	c.render(w, s, http.StatusOK, "setup", "People and set-up", d)
}
