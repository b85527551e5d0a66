// Package webhooks is the port for telling other systems what happens. One package per form lies below it; only
// cmd/tourniquet names one. To add one: a package that satisfies the port and a line in app.go.
package webhooks
