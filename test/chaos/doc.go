// Command chaos kills `tourniquet serve` again and again while runs are under way, breaks whatever it depends on, and has
// test/judge decide, from the world's log and the sender's own, whether anything was lost or done twice. Run it with
// `make chaos`; a shorter form is a test of this package.
//
// Two houses are tormented. In the first, serve embeds its workflow engine and is killed with SIGKILL: by itself at the n-th
// transition of a named kind, before or after a durable write, or from outside at a random moment. The transitions are not
// listed here: the first life of the product, which nobody disturbs, shows which there are. A cut is one kill met by one run
// at one transition, and counts once however often it happens. In the second house the engine is a process of its own,
// everything that serve speaks with is reached through a proxy, and one fault after the other is played while runs go on.
//
// The product is built from this tree with go build -overlay: package hook is put in, and no file of the product knows of
// it. To add a fault: one line in faults.go. To add an invariant: a check in test/judge. To add a kind of transition: a cut in
// build.go. To see that a lack of durability is noticed: `make chaos-mutants`, which tries builds that answer before they store
// and that write a receipt before the call.
//
// With -only fleet (`make fleet`) the product as users run it, without a hook, is several processes behind one address, replaced one after
// the other while alerts come in and people press.
package main
