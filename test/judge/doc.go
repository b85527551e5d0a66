// Judge decides from the outside whether a drill went as it should: it reads what the sandbox world saw (the world log)
// and what the drill says about itself (its JSON), and believes the world.
//
// It imports the standard library only, so that no fault of the product can hide here too. To add a check: one function
// from case to problems in a check_*.go file, one line in checks, and a log that turns it red in the tests.
package main
