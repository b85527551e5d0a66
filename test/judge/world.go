package main

import (
	"slices"
	"strings"
	"time"
)

// The world log's own words.
const (
	attacker  = "attacker"
	responder = "responder"
	contained = "contained" // an outcome and a mark

	falseAlarm = "false_alarm" // an outcome
)

// where keeps the entries that fit.
func (c *trial) where(fits func(entry) bool) []entry {
	var out []entry
	for _, e := range c.log {
		if fits(e) {
			out = append(out, e)
		}
	}
	return out
}

func (c *trial) abuse() []entry {
	return c.where(func(e entry) bool { return e.Effect == "abuse" })
}

// finals are the calls that cannot be taken back and that the world obeyed.
func (c *trial) finals() []entry {
	return c.where(func(e entry) bool { return e.Effect == "final" && e.obeyed() })
}

// models are the services that a stolen key is spent on; the world names them like their providers.
var models = []string{"gemini", "openai", "anthropic", "bedrock", "azure_openai", "openrouter", "litellm"}

// tried are the services that tell whether a key is taken: where it is spent, and where only its holder is named.
var tried = append([]string{"sts", "bedrock-control", "oauth2"}, models...)

// theft is what the world says that happened to the key: spends, none or honest.
func (c *trial) theft() string {
	for _, e := range c.log {
		if e.Service == "sandbox" && e.Method == "THEFT" {
			return e.Path
		}
	}
	if slices.ContainsFunc(c.log, func(e entry) bool { return e.Effect == "leak" }) && len(c.abuse()) == 0 {
		return "none"
	}
	return "spends"
}

// stolen are the ids of the keys that leaked or that the attacker used, whether he was let in or not.
func (c *trial) stolen() map[string]bool {
	out := map[string]bool{}
	for _, e := range c.log {
		if (e.Actor == attacker || e.Effect == "leak") && e.Key != "" {
			out[e.Key] = true
		}
	}
	return out
}

// actionOf names the action that a final call of the responder is.
func actionOf(e entry) string {
	switch {
	case e.Service == "github" && e.Method == "PUT" && strings.Contains(e.Path, "/secrets/"):
		return "dependent.update"
	case strings.HasSuffix(e.Path, ":undelete"):
		return "key.restore"
	}
	return "key.revoke" // providers delete, archive, block for good or make anew: whatever ends a key
}

// approvers are the people who had pressed approve for a request by then, less those who rejected after all.
func (c *trial) approvers(request string, before time.Time) []string {
	var out []string
	for _, e := range c.log {
		if e.Service != "slack" || e.Method != "PRESS" || e.Effect != "press" || !e.T.Before(before) {
			continue
		}
		switch e.Path {
		case request + "/approve":
			if !slices.Contains(out, e.Actor) {
				out = append(out, e.Actor)
			}
		case request + "/reject":
			out = slices.DeleteFunc(out, func(who string) bool { return who == e.Actor })
		}
	}
	return out
}
