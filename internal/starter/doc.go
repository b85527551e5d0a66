// Package starter turns a stored alert into a run: it picks the playbook, writes the run down and starts the workflow,
// in an order in which a crash at any point is harmless. It also starts runs by hand. It imports playbooks, database,
// wire and the Temporal client.
package starter
