// SPDX-License-Identifier: Apache-2.0

// Package forge writes good bundles of any size, so that one can measure how fast they are verified and in how much memory.
// Its lines have the members and the lengths of those that a pipeline of requests makes; its keys are test keys.
package forge

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"

	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/merkle"
)

// Plan says what to write.
type Plan struct {
	Folder string
	// Units is how often a request, its outcome, what the database saw of it, and a tick are written: four lines.
	Units int64
	// Send is how many units a process signs at once.
	Send int
	// Watched leaves out requests, outcomes and ticks: what a database did by itself, one short line a unit.
	Watched bool
}

// Lines is how many lines the units make, with those that open and close the range.
func (p Plan) Lines() int64 {
	if p.Watched {
		return p.Units + 2
	}
	return p.Units*4 + 2
}

// requests is how many requests there are, each with its outcome and a tick.
func (p Plan) requests() int64 {
	if p.Watched {
		return 0
	}
	return p.Units
}

const (
	tenant = "acme"
	stream = "d9315e9cd68a41766346e5ae3c1cf50e"
	origin = "clyra.example/" + tenant
	state  = "d4510f2e24f2ffede177fc0d36c8ad60182fa867a7a264f8ce86e12a68c82e2b"
	policy = `{"guarded":[]}`
)

// writer is one bundle under way.
type writer struct {
	plan    Plan
	out     *bufio.Writer
	sum     hash.Hash
	size    int64
	lines   int64
	per     int64
	tree    *merkle.Range
	segment *merkle.Range
	roots   []string
	scratch []byte

	policyDigest, trustRoot string

	timeMS, offset, seq int64
	head                string
	perSecond           map[int64]int64
	mostPerSecond       int64
	lastOutcomeAt       int64
	payload             int64
	newest              string
	cut                 string
}

// Write writes the bundle, and beside it trust-root.json; it gives the size of the journal.
func Write(plan Plan) (int64, error) {
	if err := os.MkdirAll(filepath.Join(plan.Folder, "bundle", "artifacts"), 0o755); err != nil {
		return 0, err
	}
	file, err := os.Create(filepath.Join(plan.Folder, "bundle", "journal.jsonl"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	w := &writer{plan: plan, out: bufio.NewWriterSize(file, 1<<20), sum: sha256.New(), timeMS: 1_795_865_000_000, offset: -1}
	w.tree, _ = merkle.NewRange(0, nil)
	w.segment, _ = merkle.NewRange(0, nil)
	w.per = manifest.SegmentLinesFor(plan.Lines())
	w.policyDigest = hexOf([]byte(policy))
	w.head = hexOf([]byte("clyra/tenant/v0\n" + stream + "\n" + tenant))
	root := trustRoot()
	w.trustRoot = hexOf(root)
	w.open()
	for at := int64(0); at < plan.Units; at += int64(plan.Send) {
		w.units(at, min(int64(plan.Send), plan.Units-at))
	}
	w.close()
	if err := w.out.Flush(); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(plan.Folder, "trust-root.json"), root, 0o600); err != nil {
		return 0, err
	}
	return w.size, w.seal()
}

// put adds one line.
func (w *writer) put(line []byte) {
	leaf := merkle.Leaf(line, &w.scratch)
	w.tree.Append(leaf)
	w.segment.Append(leaf)
	w.lines++
	if int64(w.segment.Size()) == w.per {
		w.endSegment()
	}
	line = append(line, '\n')
	w.sum.Write(line)
	w.size += int64(len(line))
	_, _ = w.out.Write(line)
}

func (w *writer) endSegment() {
	root := w.segment.Root()
	w.roots = append(w.roots, `"`+hex.EncodeToString(root[:])+`"`)
	w.segment.Reset()
}

func hexOf(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

func idOf(text string) string { return hexOf([]byte(text))[:32] }

// keyOf is a test key: nothing but the trust root beside these bundles trusts it.
func keyOf(role string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("clyra bench test key " + role))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicOf(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

func keyID(key ed25519.PrivateKey) string { return hexOf(publicOf(key))[:32] }

// decide gives the receipt's body of a change's; `more` are the members before `kind`, `after` those behind it, by name.
func (w *writer) count(decidedAt int64) {
	if w.perSecond == nil {
		w.perSecond = map[int64]int64{}
	}
	second := decidedAt / 1_000
	w.perSecond[second]++
	w.mostPerSecond = max(w.mostPerSecond, w.perSecond[second])
	delete(w.perSecond, second-1)
}

func uuid(number int64) string { return fmt.Sprintf("01a221ee-f0f5-7799-9893-%012x", number) }
