package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func cores() float64 { return float64(runtime.NumCPU()) }

// cpu is what the processes of the yard have taken so far, with those that they started.
func (y *yard) cpu() map[string]time.Duration {
	parents := map[int]int{}
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range all {
		body, err := os.ReadFile(path) //nolint:gosec // the kernel's own
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(body), ") ")
		if f := strings.Fields(rest); len(f) > 1 {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))) // the pattern lets numbers through only
			parents[pid], _ = strconv.Atoi(f[1])
		}
	}
	out := map[string]time.Duration{}
	for who, pids := range y.pids {
		for _, pid := range pids {
			d, _ := cpuTime(pid)
			out[who] += d
			if who != "postgres" {
				continue // what this program started has a line of its own
			}
			for child, parent := range parents {
				if parent == pid {
					d, _ := cpuTime(child)
					out[who] += d
				}
			}
		}
	}
	return out
}

// idleTime is how long all cores together had nothing to do so far, or waited for a disk.
func idleTime() time.Duration {
	body, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(body)) // cpu user nice system idle iowait
	if len(f) < 6 {
		return 0
	}
	idle, _ := strconv.Atoi(f[4]) // numbers, by the kernel's word
	wait, _ := strconv.Atoi(f[5])
	return time.Duration(idle+wait) * 10 * time.Millisecond
}

// slowDown lets processes run a share of each tenth of a second only, until the answer is called.
func slowDown(pids []int, share int) (stop func()) {
	done, gone := make(chan struct{}), make(chan struct{}, len(pids))
	signal := func(pid int, sig syscall.Signal) { _ = syscall.Kill(pid, sig) } // one that has ended shows in the figures
	for i, pid := range pids {
		go func() {
			defer func() { signal(pid, syscall.SIGCONT); gone <- struct{}{} }()
			wait := time.Duration(100*i/len(pids)) * time.Millisecond // so that they do not all run at the same time
			for {
				for _, next := range []struct {
					sig  syscall.Signal
					wait time.Duration
				}{{syscall.SIGSTOP, wait + time.Duration(100-share)*time.Millisecond}, {syscall.SIGCONT, time.Duration(share) * time.Millisecond}} {
					signal(pid, next.sig)
					select {
					case <-done:
						return
					case <-time.After(next.wait):
					}
				}
				wait = 0
			}
		}()
	}
	return func() {
		close(done)
		for range pids {
			<-gone
		}
	}
}
