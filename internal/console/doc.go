// Package console is the web pages for people and the JSON API over our own records. It reads the database and, for
// every decision and answer, calls a Desk: it decides nothing itself and no GET changes anything. Pages work without
// JavaScript; the small script only fetches a page again when a run changed.
//
// It imports database, incident, report, signoff and wire. To add a page, add a template under pages/, a handler and a
// line in routes. Whatever a page prints passes html/template and then report.Neutral, so nothing hostile can be forgotten.
package console
