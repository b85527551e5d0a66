// Package silence says which alerts a silence or maintenance window hides: those that its condition fits, that came while
// it was in force, and that cannot be about a critical key, unless policy allows even that. A silence never keeps an alert
// from a run that is open already. It imports database, incident and the language's expressions; it has no clock.
package silence
