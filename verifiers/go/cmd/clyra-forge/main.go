// SPDX-License-Identifier: Apache-2.0

// Command clyra-forge writes a good bundle of any size into a folder, for benchmarks of verifiers, and prints the size of its
// journal and the number of its lines. Its keys are test keys, trusted by the trust root beside it alone.
package main

import (
	"flag"
	"fmt"
	"os"

	"clyra.dev/verifiers/go/internal/forge"
)

func main() {
	plan := forge.Plan{}
	flag.StringVar(&plan.Folder, "out", "", "the folder")
	flag.Int64Var(&plan.Units, "units", 25_000, "how many requests, each with its outcome, its effect and a tick")
	flag.IntVar(&plan.Send, "send", 4, "how many of these are signed at once")
	flag.BoolVar(&plan.Watched, "watched", false, "only what a database did by itself: one short line a unit")
	flag.Parse()
	size, err := forge.Write(plan)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d %d\n", size, plan.Lines())
}
