// Package keys is the port behind which every provider of AI API keys stands. One package per provider
// lies below it; nothing but cmd/tourniquet/app.go names one. To add a provider: write a package with a
// type that satisfies Provider, and one line in app.go.
package keys
