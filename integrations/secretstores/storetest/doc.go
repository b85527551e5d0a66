// Package storetest is what every store must pass: a value comes in, can be seen, and comes out again where the store says
// so; and a secret that somebody else changed is never written over. What a store makes of services and networks that fail
// is tried in test/faults. Only tests import it.
package storetest
