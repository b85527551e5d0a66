// Package hook is put into the product by test/chaos, with go build -overlay, and by nothing else: no file of the product
// names it. It is called before and after every durable write, writes down which run came to which transition, and kills its
// own process when it is told to. It also gives the product a clock that can be made to jump.
//
// It imports the standard library, gRPC and Temporal's client. To add a kind of transition: call At where it happens, by a cut
// in test/chaos/build.go.
package hook
