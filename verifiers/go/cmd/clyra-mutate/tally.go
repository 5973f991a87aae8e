// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"clyra.dev/verifiers/go/internal/mutate"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/verify"
)

// tally counts what came up.
type tally struct {
	flags  flags
	wanted []string

	lock                           sync.Mutex
	kinds, codes, exits            map[string]int
	made, passed, resealed, differ int
}

func newTally(f flags, wanted []string) *tally {
	return &tally{flags: f, wanted: wanted, kinds: map[string]int{}, codes: map[string]int{}, exits: map[string]int{}}
}

func (t *tally) full() bool {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.differ >= t.flags.differences
}

// one verifies one mutation here and asks the other verifiers.
func (t *tally) one(all askers, seed uint64, mutation mutate.Mutation) {
	outcome := verify.Bundle(mutation.Case.Options())
	ours := say(outcome)
	t.count(mutation, outcome)
	if t.flags.show {
		fmt.Printf("seed %d, %s, %s (%s)\n  %s\n", seed, mutation.Kind, mutation.What, mutation.Case.Name, ours)
	}
	all.ask(asked{seed: seed, what: mutation.What + " (" + mutation.Case.Name + ")", kind: mutation.Kind, ours: ours}, mutation)
}

func (t *tally) count(mutation mutate.Mutation, outcome *verify.Outcome) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.kinds[string(mutation.Kind)]++
	t.exits[fmt.Sprint(outcome.Exit())]++
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		if code := outcome.Report.Of(claim).Code; code != "" {
			t.codes[code]++
		}
	}
	if mutation.Kind == mutate.Plain {
		return
	}
	t.made++
	if !stopped.MatchString(outcome.Report.Of(report.Integrity).Code) {
		t.passed++
	}
	if mutation.Kind == mutate.Signed || mutation.Kind == mutate.Relinked {
		t.resealed++
	}
}

// stopped are the codes of texts that have no grammar and of files that are no bundle.
var stopped = regexp.MustCompile(`^CLY_(JSON_|TAR_|LINE_(TOO_LONG|UNTERMINATED)|BUNDLE_FILE_|DSSE_SHAPE|CHECKPOINT_SHAPE|TRUST_ROOT_SHAPE|` +
	`VERIFICATION_POLICY_SHAPE|DISCLOSURE_SHAPE)`)

func (t *tally) compare(by string, one asked, theirs string) {
	if one.ours == theirs {
		return
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	t.differ++
	here, other := differing(one.ours, theirs)
	fmt.Printf("seed %d, %s, %s\n  here  %s\n  %s %s\n", one.seed, one.kind, one.what, here, by, other)
}

// differing leaves out what two verdicts have in common.
func differing(ours, theirs string) (here, other string) {
	a, b := strings.Split(ours, "; "), strings.Split(theirs, "; ")
	if len(a) != len(b) {
		return ours, theirs
	}
	var left, right []string
	for i := range a {
		if a[i] != b[i] {
			left, right = append(left, a[i]), append(right, b[i])
		}
	}
	return strings.Join(left, "; "), strings.Join(right, "; ")
}

func (t *tally) print(took time.Duration, by *third) {
	percent := func(n int) int { return n * 100 / max(1, t.made) }
	fmt.Printf("%d mutations in %.0f s (%.0f/s) of seeds from %d on: %v; exit codes %v\n", t.made, took.Seconds(),
		float64(t.made)/took.Seconds(), t.flags.seed, t.kinds, t.exits)
	fmt.Printf("%d (%d %%) pass the tokenizer, %d (%d %%) are signed anew; differences: %d\n", t.passed, percent(t.passed), t.resealed,
		percent(t.resealed), t.differ)
	if by != nil {
		fmt.Printf("%d of them judged by the third verifier too; %d that no folder can hold\n", by.judged, by.unwritable)
	}
	codes := make([]string, 0, len(t.codes))
	for code := range t.codes {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		fmt.Printf("  %-34s %d\n", code, t.codes[code])
	}
	if missing := t.missing(); len(missing) > 0 {
		fmt.Printf("never hit: %s\n", strings.Join(missing, " "))
	} else if len(t.wanted) > 0 {
		fmt.Printf("every one of the %d codes was hit\n", len(t.wanted))
	}
}

func (t *tally) missing() []string {
	return slices.DeleteFunc(slices.Clone(t.wanted), func(code string) bool { return t.codes[code] > 0 })
}

func (t *tally) good() bool { return t.differ == 0 && !(t.flags.every && len(t.missing()) > 0) }

var codeText = regexp.MustCompile(`CLY_[A-Z0-9_]+[A-Z0-9]`)

// notOfClaims are codes in the sources that no claim can have: a reason of receipts, a defect of a verifier, and a size that
// always has the code of its file or line.
var notOfClaims = map[string]bool{"CLY_CHANGE_SIGNATURE": true, "CLY_VERIFIER_INTERNAL": true, "CLY_JSON_SIZE": true}

// codesIn lists the codes that stand in the sources of verifiers, tests and test builders excepted.
func codesIn(folders string) ([]string, error) {
	found := map[string]bool{}
	if folders == "" {
		return nil, nil
	}
	for folder := range strings.SplitSeq(folders, ",") {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			name := entry.Name()
			if err != nil || entry.IsDir() || strings.Contains(path, "/testing/") || strings.Contains(path, "/mutate/") {
				return err
			}
			if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".test.ts") || strings.Contains(path, "/testdata/") {
				return nil
			}
			data, err := os.ReadFile(path)
			for _, code := range codeText.FindAll(data, -1) {
				if !notOfClaims[string(code)] {
					found[string(code)] = true
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	codes := make([]string, 0, len(found))
	for code := range found {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes, nil
}
