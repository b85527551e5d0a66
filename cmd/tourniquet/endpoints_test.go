package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/tourniquet-ir/tourniquet/internal/api"
	"github.com/tourniquet-ir/tourniquet/internal/console"
	"github.com/tourniquet-ir/tourniquet/internal/database"
	"github.com/tourniquet-ir/tourniquet/internal/incident"
	"github.com/tourniquet-ir/tourniquet/internal/people"
)

// door serves endpoints as the house does: behind the console's sign-in. Ana is the only person.
func door(t *testing.T, db *database.DB, more []api.Endpoint) http.Handler {
	t.Helper()
	dir, err := people.New([]incident.Person{{ID: "ana", Name: "Ana"}}, nil, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := console.New(console.Options{DB: db, Desk: consoleDesk{people: dir, db: db}, More: more})
	if err != nil {
		t.Fatal(err)
	}
	return c.Handler()
}
