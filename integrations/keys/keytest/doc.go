// Package keytest is what tests of providers have in common: a provider in front of a pretended one, every request that it
// makes, keys that are found, tried and spent. Only tests import it.
package keytest
