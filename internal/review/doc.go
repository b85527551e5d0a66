// Package review is what people add once the alarm is over: lessons, and next steps that somebody owns. It lives in the
// ledger of the run like everything else, so that it stands in the chain, in the report and in the bundle.
//
// It imports database. To add a kind of remark: a constant, a check in Remark, and its place in Read.
package review
