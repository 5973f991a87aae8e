// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/verify"
)

const (
	fixtures = "../verify/testdata/"
	seeds    = 600
)

// No damaged bundle passes what the good one passes, whether its seals were made anew or not.
func TestNoMutationPasses(t *testing.T) {
	good, err := Load(fixtures + "second")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(fixtures + "trust-root.json")
	if err != nil {
		t.Fatal(err)
	}
	maker, err := NewMaker(good, root, 1)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "bundle")
	rootFile := filepath.Join(t.TempDir(), "trust-root.json")
	if err := os.WriteFile(rootFile, maker.TrustRoot, 0o600); err != nil {
		t.Fatal(err)
	}
	put := func(files Files) {
		for name, data := range files {
			if err := Write(folder, name, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(good)
	if out := verify.Bundle(verify.Options{Bundle: folder, TrustRoot: rootFile}); out.Exit() != report.ExitPolicyNotMet {
		t.Fatalf("the good bundle gives exit %d under the next trust root", out.Exit())
	}
	kinds := map[Kind]int{}
	for seed := range uint64(seeds) {
		mutation := maker.Make(seed)
		kinds[mutation.Kind]++
		put(mutation.Changed)
		out := verify.Bundle(verify.Options{Bundle: folder, TrustRoot: rootFile})
		if failed := out.Exit() == 1 || out.Exit() == 2 || out.Exit() == 3; !failed && differs(good, mutation) {
			t.Errorf("seed %d (%s, %s): exit %d", seed, mutation.Kind, mutation.What, out.Exit())
		}
		restored := Files{}
		for name := range mutation.Changed {
			restored[name] = good[name]
		}
		put(restored)
	}
	if kinds[Raw] == 0 || kinds[Token] < seeds/3 || kinds[Signed] < seeds/12 {
		t.Errorf("kinds are %v", kinds)
	}
	t.Logf("%v mutations", kinds)
}

// appendTimes are the broker's word, which nobody signs but the log: whoever holds its key can write others.
var appendTimes = regexp.MustCompile(`"append_time":[0-9]+`)

// differs says whether anything of weight changed: a token may have become itself, what follows the log's signature line is
// unsigned, and a manifest that was signed anew may say another producer or previous manifest.
func differs(good Files, mutation Mutation) bool {
	for name, data := range mutation.Changed {
		if bytes.Equal(good[name], data) || mutation.Kind == Signed && name != "journal.jsonl" {
			continue
		}
		if mutation.Kind == Signed && bytes.Equal(appendTimes.ReplaceAll(good[name], nil), appendTimes.ReplaceAll(data, nil)) {
			continue
		}
		if name == "checkpoint" || name == "bundle-log.checkpoint" {
			if bytes.HasPrefix(data, good[name]) {
				continue
			}
		}
		return true
	}
	return false
}
