// Package test holds what concerns the whole house: its rules (house_test.go), end-to-end and chaos tests, benchmarks,
// and the sample alerts. The judge in test/judge is a program of its own.
//
// Tests here may import anything; nothing imports this package.
package test
