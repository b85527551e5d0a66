// Package prices estimates what tokens cost. It holds one table with the source and the date of its figures, which a
// configuration may extend; a figure from it is always called an estimate. It is pure and imports a YAML parser only. To add a
// price, add a line to prices.yaml under a block that says where it was read and when.
package prices
