// Command drills rehearses every scenario of `tourniquet drill list` with scripted people, has the judge decide each from the
// world's log, and prints docs/drills.md: seconds and dollars of all. It imports nothing of the product; one more scenario
// appears by itself.
package main
