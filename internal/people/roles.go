package people

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tourniquet-ir/tourniquet/internal/incident"
)

// Roles that a person may have in the console and the API. Seats in a sign-off come from groups, never from a role.
const (
	Viewer    = "viewer"    // looks
	Responder = "responder" // decides where they have a seat, answers, and acts on runs
	Author    = "author"    // sees what playbooks are written against
	Operator  = "operator"  // acts on runs, and sees how the installation is set up
)

// Right is what a role allows.
type Right string

// Rights.
const (
	SeeDetail Right = "detail" // findings as they came, inputs and outputs, evidence, workflow histories
	Decide    Right = "decide" // sign-offs and questions
	Act       Right = "act"    // start, cancel, hold, silence
	Note      Right = "note"   // write into the ledger of a run
	SeeSetup  Right = "setup"  // people, groups, sources, policy
	Look      Right = "look"   // everything else that is shown
)

var rights = map[string][]Right{
	Viewer:    {Look},
	Responder: {Look, SeeDetail, Decide, Act, Note},
	Author:    {Look, SeeDetail, Note},
	Operator:  {Look, SeeDetail, Act, Note, SeeSetup},
}

// May reports whether one of the roles has the right. A role that is not known has none.
func May(roles []string, r Right) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(rights[role], r) })
}

// RolesOf are the roles of a person; who is listed without any is a responder.
func RolesOf(p incident.Person) []string {
	if len(p.Roles) == 0 && p.ID != "" {
		return []string{Responder}
	}
	return p.Roles
}

// CheckRoles names roles that there are not.
func CheckRoles(roles []string) error {
	for _, r := range roles {
		if _, ok := rights[r]; !ok {
			return fmt.Errorf("there is no role %q; there are %s", r, strings.Join([]string{Viewer, Responder, Author, Operator}, ", "))
		}
	}
	return nil
}
