// Package faulttest tries every call of a client against every way in which a service or a network fails: the error must
// say whether asking again can help, hold no secret, and come in bounded time and memory. A provider of keys is one line
// (Provider), a store of secrets another (Store), any other client a Client with its calls. Only tests import it.
package faulttest
