// Package diag is one fault at file:line:col: what is wrong, what was allowed, what was meant, printed with its
// source line and a caret, or as JSON. It knows nothing of playbooks and imports only the standard library.
package diag
