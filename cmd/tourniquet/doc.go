// Command tourniquet is the whole product in one binary. This package is the only main, the only reader of flags and
// environment, and with app.go the only place where vendors are named. One file holds one command; nothing here decides
// anything that a room below could decide.
package main
