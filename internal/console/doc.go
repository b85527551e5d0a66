// Package console is the web pages for people and the JSON API over our own records. It reads the database and, for
// every decision and answer, calls a Desk: it decides nothing itself and no GET changes anything. Pages work without
// JavaScript; the small script only fetches a page again when a run changed.
//
// Who signs in has roles (package people), and every page and endpoint names the right that it needs. The API is a list of typed
// endpoints (package api), those of other rooms among them, from which its document is made.
//
// It imports api, database, history, incident, lookout, people, playbooks and their graph, report, review, signoff and wire. To add a page, add a template under pages/, a handler and a
// line in routes. Whatever a page prints passes html/template and then report.Neutral, so nothing hostile can be forgotten.
package console
