// Package rehearse runs the tests of playbooks: <name>_test.yaml beside <name>.yaml. A test plays the real workflow on
// Temporal's test environment, where a thousand hours cost seconds. People are scripted, but nothing about them is
// pretended: every decision is signed with a key, every request is a real envelope under the real policy, and a call that
// changes something is let through only by the check that the real actions make.
//
// Read takes a test file apart, Bind checks it against the playbook and the cards of its actions, Run plays it and says
// what differed and which steps and branches no test reached. It touches no disk and no network; it imports workflows,
// playbooks, signoff, wire and the test suite of Temporal's SDK, never the server. To expect one more thing, add a key to
// readExpect and a line to compare.
package rehearse
