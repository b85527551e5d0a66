// Package front is the load balancer of tests: one address before several processes, which are asked again and again whether
// they are ready. It imports the standard library only.
package front
