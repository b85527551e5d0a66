package freeport

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestAFreePortIsNoneThatTheKernelGivesToOthers(t *testing.T) {
	t.Parallel()
	first := ephemeral("/proc/sys/net/ipv4/ip_local_port_range")
	for range 50 {
		address, err := Free()
		if err != nil {
			t.Fatal(err)
		}
		at, err := net.ResolveTCPAddr("tcp", address)
		if err != nil || !at.IP.IsLoopback() || at.Port < least || at.Port >= first {
			t.Errorf("%s, %v: the kernel's own begin at %d", address, err, first)
		}
	}
}

func TestWhereTheKernelSaysNothingUsefulTheUsualRangeIsKept(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"40000\t60999\n": 40_000, "1024\t65000\n": 32_768, "": 32_768, "many": 32_768} {
		path := filepath.Join(t.TempDir(), "range")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ephemeral(path); got != want {
			t.Errorf("%q: %d, wanted %d", text, got, want)
		}
	}
	if got := ephemeral(filepath.Join(t.TempDir(), "none")); got != 32_768 {
		t.Errorf("without a file: %d", got)
	}
}
