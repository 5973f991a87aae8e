// SPDX-License-Identifier: Apache-2.0

// Command clyra-verify verifies Clyra bundles offline, by docs/spec/ alone.
package main

import (
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"clyra.dev/verifiers/go/internal/cli"
)

// memoryBytes is where the collector works harder: a verifier stays below 64 MB at any size.
const memoryBytes = 40 << 20

func main() {
	debug.SetMemoryLimit(memoryBytes)
	// Where nobody reads the output, writing fails instead: the exit code is the verdict all the same.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
