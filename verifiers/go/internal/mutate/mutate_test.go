// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/suite"
	"clyra.dev/verifiers/go/internal/vectors"
	"clyra.dev/verifiers/go/internal/verify"
)

const seeds = 6_000

func load(t *testing.T) []*suite.Case {
	t.Helper()
	cases, err := suite.Load(filepath.Join(vectors.Root(t), "bundles"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// No damaged bundle passes: whatever bytes change, whether its seals and the signatures of its lines were made anew or not.
func TestNoMutationOfAGoodBundlePasses(t *testing.T) {
	signing.Remember()
	var good []*suite.Case
	for _, one := range load(t) {
		// The block of a forged change that was refused is signed by nobody.
		if one.Exit == report.ExitValid && one.Files != nil && one.Name != "forged-change-refused" {
			good = append(good, one)
		}
	}
	maker := NewMaker(good)
	kinds := map[Kind]int{}
	for seed := range uint64(seeds) {
		mutation := maker.Make(seed)
		kinds[mutation.Kind]++
		if out := verify.Bundle(mutation.Case.Options()); out.Exit() == report.ExitValid && weighs(maker.Cases()[mutation.Base], mutation) {
			t.Errorf("seed %d (%s, %s of %s): exit %d", seed, mutation.Kind, mutation.What, mutation.Case.Name, out.Exit())
		}
	}
	for _, kind := range []Kind{Raw, Token, Place, Signed, Relinked} {
		if kinds[kind] < seeds/20 {
			t.Errorf("kinds are %v", kinds)
		}
	}
	t.Logf("%v mutations of %d good bundles", kinds, len(good))
}

// unsigned is the broker's word: whoever holds the log's key can write another.
var unsigned = regexp.MustCompile(`"append_time":[0-9]+`)

// weighs says whether what changed is signed: a token may have become itself, VERIFY.md and cosignatures are unsigned. A bundle
// whose lines were made anew by keys that the reader trusts is another good bundle; one whose seals alone were may hold other
// replaced lines, another order of what has no order of its own, or, in head mode, lines that nobody signed.
func weighs(good *suite.Case, mutation Mutation) bool {
	export := bytes.Contains(good.Files["manifest.json"].Bytes, []byte(`"export":`))
	if mutation.Kind == Relinked || mutation.Kind == Signed && (export || mutation.Case.Head || strings.HasPrefix(mutation.What, "swap")) {
		return false
	}
	before, after := Flat(good), Flat(mutation.Case)
	for name := range maps.Clone(before) {
		if _, kept := after[name]; !kept {
			after[name] = archive.Content{Is: archive.Other}
		}
	}
	for name, content := range after {
		was, had := before[name]
		switch {
		case had && was.Is == content.Is && bytes.Equal(was.Bytes, content.Bytes):
		case name[0] == '@' && name != inTar || name == "VERIFY.md" || strings.HasPrefix(name, "cosignatures"):
		case strings.HasPrefix(name, "times") || strings.HasPrefix(name, "replay"):
		case content.Is == archive.Folder:
		case strings.HasSuffix(name, "checkpoint") && bytes.HasPrefix(content.Bytes, sealed(was.Bytes)):
		case mutation.Kind == Signed && name != "journal.jsonl":
		case mutation.Kind == Signed && bytes.Equal(unsigned.ReplaceAll(was.Bytes, nil), unsigned.ReplaceAll(content.Bytes, nil)):
		default:
			return true
		}
	}
	return false
}

// sealed is a note up to the log's own line.
func sealed(note []byte) []byte {
	lines := bytes.SplitAfter(note, []byte("\n"))
	return bytes.Join(lines[:min(5, len(lines))], nil)
}

// What a seed makes never changes: a difference that somebody reports can be made again.
func TestASeedAlwaysMakesTheSame(t *testing.T) {
	one, other := NewMaker(load(t)), NewMaker(load(t))
	for seed := range uint64(300) {
		a, b := one.Make(seed), other.Make(seed)
		if a.What != b.What || !maps.EqualFunc(Flat(a.Case), Flat(b.Case), func(x, y archive.Content) bool {
			return x.Is == y.Is && bytes.Equal(x.Bytes, y.Bytes)
		}) {
			t.Fatalf("seed %d: %s, then %s", seed, a.What, b.What)
		}
	}
}
