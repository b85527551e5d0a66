// Package watch decides from what a key costs whether somebody else is using it. It is pure: it is given readings and the
// time, and gives back alarms; polling, storing and sending lie with others. It imports the standard library and gonum.
//
// The rule: what a key spent in the last two buckets, hour, six hours, day and three days is compared with what it usually
// spends in these hours of the week (the median of the last weeks). The quotient alarms when it is clearly above the highest
// that this key honestly reached in the last sixty days, and when the surplus is real money. A key without history is held
// against a rate. Beside it stand four plain checks: a limit that the operator set, use of a key that should be idle, use
// after revocation, and a model, region, address or agent that the key never had.
//
// To add a check, write one function from a look to an alarm in a file of its own and put it into checks.
package watch
