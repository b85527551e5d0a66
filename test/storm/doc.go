// Command storm sends ten thousand alerts about a hundred keys from fifty clients to a `tourniquet serve` built from this
// tree, and has test/judge decide whether none was lost and none counted twice. Run it with `make storm`.
//
// Undisturbed, serve embeds its workflow engine, and the time of the answers counts. With -disturb the engine is a process
// of its own (this program again): in the middle of the storm serve is killed without a chance to tidy up and started
// again, and the engine is killed and stays away for a while. The clients send until they are answered 202; when all is
// settled they send everything once more, and whatever is then taken as new had been lost.
//
// It writes two logs: world.jsonl of the sandbox's outside, and sent.jsonl of what the clients sent and were told. The
// judge reads those two and nothing else.
package main
