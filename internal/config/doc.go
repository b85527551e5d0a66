// Package config reads tourniquet.yaml: strictly, with the place of every fault, and with secrets referred to and never
// written down. It knows sections and shapes, not vendors' behaviour. A new section is one struct here and one line in
// tourniquet.example.yaml, which a test loads.
package config
