package main

import (
	"fmt"
	"io"
	"os"
)

const (
	// lifeline names the environment variable by which whoever starts a server says that standard input
	// is a pipe whose other end only the starter holds.
	lifeline = "CONTROLPLANE_LIFELINE"
	// sweep names the one that holds the scratch folder to remove when the lifeline is cut. Only one of
	// the servers is given it.
	sweep = "CONTROLPLANE_SWEEP"
)

// endWithParent makes this process end when the starter does, however the starter ends: the kernel
// closes the pipe even after SIGKILL. PR_SET_PDEATHSIG would not do: it follows the *thread* that
// forked, and a test's thread ends long before the process that shares the control plane.
func endWithParent() {
	if os.Getenv(lifeline) != "stdin" {
		return
	}
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		fmt.Fprintf(os.Stderr, "controlplane: the lifeline is cut (read: %v); ending\n", err)
		if folder := os.Getenv(sweep); folder != "" {
			removeScratch(folder)
		}
		// At once and without ceremony: the data is thrown away, and a graceful end could wait for
		// servers that are ending too.
		os.Exit(3)
	}()
}

// removeScratch removes the folder this process was started in, and no other, whatever the variable says.
func removeScratch(folder string) {
	named, err := os.Stat(folder)
	if err != nil {
		return
	}
	if here, err := os.Stat("."); err != nil || !os.SameFile(named, here) {
		fmt.Fprintf(os.Stderr, "controlplane: %s: expected the working folder, found %q; not removed\n", sweep, folder)
		return
	}
	// The other servers are ending too and may add a last file between listing and removing.
	for range 10 {
		if os.RemoveAll(folder) == nil {
			return
		}
	}
}
