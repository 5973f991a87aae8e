// SPDX-License-Identifier: Apache-2.0

// Command clyra-mutate compares verifiers on seeded mutations of the conformance suite: this one in process, the other as a
// command that takes packed cases (README.md says how), and on a share of them a third one that takes files. It prints each
// difference with its seed, how often each claim code came up, and the codes that never did.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"clyra.dev/verifiers/go/internal/mutate"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/suite"
	"clyra.dev/verifiers/go/internal/verify"
)

// progressEvery is after how many mutations a long run says how far it is.
const progressEvery = 20_000

type flags struct {
	suites, other, codes    string
	third, write            string
	seed, count, thirdEvery uint64
	differences, processes  int
	show                    bool
	every                   bool
}

func main() {
	var f flags
	flag.StringVar(&f.suites, "suite", "", "folders of conformance cases, separated by commas")
	flag.StringVar(&f.other, "other", "", "the other verifier, as a command that takes packed cases")
	flag.IntVar(&f.processes, "processes", 1, "how many of the other verifier run at once")
	flag.StringVar(&f.third, "third", "", "a third verifier, as a command with a batch mode")
	flag.Uint64Var(&f.thirdEvery, "third-every", 200, "the third verifier judges the seeds that this divides")
	flag.StringVar(&f.codes, "codes", "", "folders of sources, separated by commas: the claim codes in them are those to be hit")
	flag.Uint64Var(&f.seed, "seed", 1, "first seed")
	flag.Uint64Var(&f.count, "count", 1_000, "how many mutations")
	flag.IntVar(&f.differences, "differences", 50, "stop after so many differences")
	flag.StringVar(&f.write, "write", "", "write the mutation of the first seed into this folder, and do nothing else")
	flag.BoolVar(&f.show, "show", false, "print every verdict")
	flag.BoolVar(&f.every, "every", false, "fail when a code was never hit")
	flag.Parse()
	good, err := run(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}

func run(f flags) (bool, error) {
	var cases []*suite.Case
	for folder := range strings.SplitSeq(f.suites, ",") {
		some, err := suite.Load(folder)
		if err != nil {
			return false, err
		}
		cases = append(cases, some...)
	}
	wanted, err := codesIn(f.codes)
	if err != nil {
		return false, err
	}
	// The bundles are small: collecting garbage seldom costs little memory and saves a third of the time.
	signing.Remember()
	maker := mutate.NewMaker(cases)
	if f.write != "" {
		return true, write(f.write, maker.Make(f.seed))
	}
	t := newTally(f, wanted)
	askers, err := startAll(f, maker, t)
	if err != nil {
		return false, err
	}
	started := time.Now()
	for i, one := range cases {
		t.one(askers, uint64(i), mutate.Mutation{Kind: mutate.Plain, What: one.Name, Base: -1, Case: one})
	}
	interrupted, forget := signal.NotifyContext(context.Background(), os.Interrupt)
	defer forget()
	for seed := f.seed; seed < f.seed+f.count && !t.full() && interrupted.Err() == nil; seed++ {
		t.one(askers, seed, maker.Make(seed))
		if done := seed - f.seed + 1; done%progressEvery == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d mutations after %.0f s\n", done, f.count, time.Since(started).Seconds())
		}
	}
	if err := askers.finish(); err != nil {
		return false, err
	}
	t.print(time.Since(started), askers.third)
	// What was counted until then is printed; a run that was cut short is not the whole one.
	return t.good() && interrupted.Err() == nil, nil
}

// askers are the verifiers beside this one.
type askers struct {
	peers []*peer
	third *third
}

func startAll(f flags, maker *mutate.Maker, t *tally) (all askers, err error) {
	for range f.processes {
		p, err := startPeer(f.other, maker, func(one asked, theirs string) { t.compare("other", one, theirs) })
		if err != nil {
			return all, err
		}
		all.peers = append(all.peers, p)
	}
	all.third, err = startThird(f.third, f.thirdEvery, func(one asked, theirs string) { t.compare("third", one, theirs) })
	return all, err
}

func (a askers) ask(one asked, mutation mutate.Mutation) {
	a.peers[one.seed%uint64(len(a.peers))].ask(one, mutation)
	a.third.ask(one, mutation)
}

func (a askers) finish() error {
	var first error
	for _, p := range a.peers {
		if err := p.finish(); first == nil {
			first = err
		}
	}
	if err := a.third.finish(); first == nil {
		first = err
	}
	return first
}

// say is a verdict as one line; the other verifier gives the same form.
func say(outcome *verify.Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "exit %d", outcome.Exit())
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		result := outcome.Report.Of(claim)
		fmt.Fprintf(&b, "; %s %s", claim, result.Status)
		if result.Code != "" {
			b.WriteString(" " + result.Code)
		}
	}
	return b.String()
}

func init() { runtime.GOMAXPROCS(2) }
