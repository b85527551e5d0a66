// Command mutate breaks the shipped playbooks on purpose, one small slip at a time, as an author might, and says what
// catches each: lint, or the tests that lie beside the playbook. A mutation that nothing catches must say why it may
// live. To add one, add a line to table.go.
package main
