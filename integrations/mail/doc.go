// Package mail is the port for how people are written to. One package per vendor lies below it; only
// cmd/tourniquet/app.go names a vendor. To add one: a package that satisfies the port and a line in app.go.
package mail
