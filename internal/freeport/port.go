package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
)

// least is above what services of a machine usually take.
const least = 10_000

// Free is a loopback address that nobody listens at, and that stays free while its server is between two lives: it lies below
// the ports that the kernel hands to whoever asks for any. One of those is soon somebody else's.
func Free() (string, error) {
	most := ephemeral("/proc/sys/net/ipv4/ip_local_port_range")
	var last error
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", least+rand.IntN(most-least))) //nolint:gosec // no secret
		if err != nil {
			last = err
			continue
		}
		return l.Addr().String(), l.Close()
	}
	return "", errors.Join(errors.New("no loopback port is free"), last)
}

// ephemeral is the first port that the kernel hands out by itself; Linux says so in a file.
func ephemeral(path string) int {
	const usual = 32_768
	text, err := os.ReadFile(path) //nolint:gosec // the kernel's own
	if err != nil {
		return usual
	}
	first := 0
	if _, err := fmt.Sscan(string(text), &first); err != nil || first <= 2*least {
		return usual
	}
	return first
}
