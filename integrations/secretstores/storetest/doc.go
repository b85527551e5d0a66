// Package storetest is what every store must pass: a value comes in, can be seen, and comes out again where the store says
// so; a secret that somebody else changed is never written over; and every way in which a service or a network can fail has
// the right class, keeps the secret out of the error, and stays bounded. Only tests import it.
package storetest
