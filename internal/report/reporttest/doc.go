// Package reporttest fills a database with one run as a real incident leaves it, told by an attacker as far as an attacker
// may speak: markup, markdown, bidirectional and zero-width characters. Tests of report and console read it.
package reporttest
