// Package chat is the port for how people are asked and told. One package per vendor lies below it; only
// cmd/tourniquet/app.go names a vendor. To add one: a package that satisfies the port and a line in app.go.
package chat
