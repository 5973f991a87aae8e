// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/forge"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/verify"
)

// flipPolicy asks for what a bundle without sources and witnesses can show.
const flipPolicy = `{"format":"clyra/verification-policy/v0","name":"flips","require":["integrity","order","completeness","authorship","policy","reconciliation"]}`

// unsigned ends the part of a checkpoint that the log signs: what follows are lines of witnesses.
const witnessLine = "— w.example/w1 AAAAAAAAAAAAAAAA\n"

// Every bit of a bundle is signed but those of VERIFY.md and of lines of witnesses. CLYRA_FLIP_UNITS makes the bundle larger.
func TestEveryFlippedBitFails(t *testing.T) {
	signing.Remember()
	one := forged(t)
	if out := verify.Bundle(one.Options()); out.Exit() != report.ExitValid {
		t.Fatalf("the good bundle gives exit %d: %v", out.Exit(), out.Report)
	}
	var bits atomic.Int64
	var all sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		all.Go(func() { bits.Add(flipShare(t, one, worker, workers)) })
	}
	all.Wait()
	t.Logf("%d flips of %d bytes", bits.Load(), bits.Load()/8)
}

// flipShare flips the bits of the bytes whose place leaves `worker` over `workers`, in a copy of the case, and counts them.
func flipShare(t *testing.T, given *Case, worker, workers int) (bits int64) {
	one := *given
	one.Files = maps.Clone(given.Files)
	for _, name := range slices.Sorted(maps.Keys(one.Files)) {
		good := one.Files[name]
		bent := bytes.Clone(good.Bytes)
		signed := len(bent)
		if name == "VERIFY.md" {
			signed = 0
		}
		if name == "checkpoint" {
			signed -= len(witnessLine)
		}
		one.Files[name] = archive.Content{Bytes: bent}
		for at := worker; at < len(bent); at += workers {
			for bit := range 8 {
				bent[at] ^= 1 << bit
				if out := verify.Bundle(one.Options()); failed(out) != (at < signed) && (at < signed || name == "VERIFY.md") {
					t.Errorf("%s, byte %d, bit %d: exit %d", name, at, bit, out.Exit())
				}
				bent[at] ^= 1 << bit
				bits++
			}
		}
		one.Files[name] = good
	}
	return bits
}

func failed(out *verify.Outcome) bool {
	return out.Exit() == report.ExitInvalid || out.Exit() == report.ExitMalformed || out.Exit() == report.ExitUnsupported
}

func forged(t *testing.T) *Case {
	t.Helper()
	units, _ := strconv.ParseInt(os.Getenv("CLYRA_FLIP_UNITS"), 10, 64)
	folder := t.TempDir()
	if _, err := forge.Write(forge.Plan{Folder: folder, Units: units, Send: 4}); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(folder, "trust-root.json"))
	if err != nil {
		t.Fatal(err)
	}
	one := &Case{Files: archive.Files{}, TrustRoot: root, Policy: []byte(flipPolicy)}
	names, err := filepath.Glob(filepath.Join(folder, "bundle", "*"))
	if err != nil {
		t.Fatal(err)
	}
	artifacts, _ := filepath.Glob(filepath.Join(folder, "bundle", "artifacts", "*"))
	for _, path := range append(names, artifacts...) {
		name, _ := filepath.Rel(filepath.Join(folder, "bundle"), path)
		data, err := os.ReadFile(path)
		if name == "artifacts" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		one.Files[filepath.ToSlash(name)] = archive.Content{Bytes: data}
	}
	one.Files["VERIFY.md"] = archive.Content{Bytes: []byte("how to\n")}
	one.Files["checkpoint"] = archive.Content{Bytes: append(one.Files["checkpoint"].Bytes, witnessLine...)}
	return one
}
