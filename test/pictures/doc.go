// Command pictures draws the pictures of the docs: the cards, modals and refusals of the product, through its own client, in
// the sandbox Slack's page, as a headless Chromium shows it. It decides nothing and asks no network but loopback.
//
//	go run ./test/pictures -out docs
//
// With -report it draws the report that a drill wrote:
//
//	go run ./cmd/tourniquet drill --approve auto --report report.html
//	go run ./test/pictures -out docs -report report.html
//
// With -drill it sits at the terminal of a drill (script, of util-linux, is the terminal) and draws its console:
//
//	go build -o tourniquet ./cmd/tourniquet
//	go run ./test/pictures -out docs -drill ./tourniquet
package main
