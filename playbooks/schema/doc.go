// Package schema makes the JSON Schema (draft-07) of the language, for editors: every key with its description, every
// action with its inputs. It is made from the clauses of the language and from the cards, so that neither can be
// forgotten. It sees shapes, not meaning: what it accepts may still be refused by lint, what it refuses lint refuses, too.
// It imports playbooks alone.
package schema
