// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"clyra.dev/verifiers/go/internal/ledger"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// derived holds the lines that stand directly before a cut: watermarks ascending by source, then matched lines. Of these
// only leaf, number and digest are kept; what they must say is computed at the cut.
type derived struct {
	open       bool
	start      int64
	watermarks bool
	lastSource string
	lastLeaf   int64
	matched    []matchedLine
}

type matchedLine struct {
	number, leaf int64
	digest       [32]byte
}

func (d *derived) place(j *journal, member string) {
	j.fail(report.Reconciliation, "CLY_RECONCILE_PLACE", member)
}

func (d *derived) begin(j *journal) {
	if !d.open {
		*d = derived{open: true, start: j.number, lastLeaf: -1, matched: d.matched[:0]}
	}
}

func (d *derived) takeWatermark(j *journal) {
	d.begin(j)
	source := j.line.Observation.Source
	if len(d.matched) > 0 || d.watermarks && strictjson.CompareText(d.lastSource, source) >= 0 {
		d.place(j, "observation.body.source_id")
	}
	d.watermarks, d.lastSource = true, source
}

func (d *derived) takeMatched(j *journal) {
	leaf := j.line.Leaf
	if d.open && leaf < d.lastLeaf {
		d.place(j, "leaf")
	}
	if len(d.matched) >= len(j.v.ledger.Pending) {
		// More lines than anything pending are too many wherever they stand; so a list of them has the ledger's limit.
		j.fail(report.Reconciliation, "CLY_RECONCILE_EXTRA", "leaf")
		return
	}
	d.begin(j)
	d.lastLeaf = leaf
	d.matched = append(d.matched, matchedLine{j.number, leaf, sha256.Sum256(j.line.Raw)})
}

// interrupt notes that a line which is no cut stands behind derived lines.
func (d *derived) interrupt(j *journal) {
	if d.open {
		j.v.rep.Fail(report.Reconciliation, "CLY_RECONCILE_PLACE", report.OnLine(journalFile, d.start, ""))
		d.open, d.matched = false, d.matched[:0]
	}
}

// judgeCut compares what stands before a cut with what follows from the ledger, and then closes the cut.
func (j *journal) judgeCut() {
	v, d := j.v, &j.derived
	if !d.open {
		d.matched = d.matched[:0]
	}
	var expected []ledger.Verdict
	v.ledger.Cut(j.line.AppendTime, func(verdict ledger.Verdict) {
		j.metrics.judged++
		j.metrics.statuses[verdict.Status]++
		j.find(verdict)
		expected = append(expected, ledger.Verdict{Leaf: verdict.Leaf, Line: digestOf(verdict.Line)})
	})
	d.compare(j, expected)
	d.open, d.matched = false, d.matched[:0]
	v.ledger.EndCut(j.line.AppendTime)
	r := &j.line.Receipt
	j.lastIsSealed = r.ChangeKind.TextIs("run.closed") || r.ChangeKind.TextIs("window.closed") && j.number > 1
	kind, _ := r.ChangeKind.Text()
	state, _ := r.StateDigest.Text()
	receipt, _ := r.ReceiptIDText.Text()
	j.cut = cutFacts{
		kind: kind, state: state, receipt: receipt, offset: r.Offset, partition: r.Partition, engine: r.Engine,
		appendTime: j.line.AppendTime,
	}
}

func digestOf(text []byte) []byte {
	digest := sha256.Sum256(text)
	return digest[:]
}

func (d *derived) compare(j *journal, expected []ledger.Verdict) {
	fail := func(code string, number int64) {
		j.v.rep.Fail(report.Reconciliation, code, report.OnLine(journalFile, number, ""))
	}
	if len(expected) == len(d.matched) {
		for i, want := range expected {
			if !bytes.Equal(want.Line, d.matched[i].digest[:]) {
				fail("CLY_RECONCILE_LINE", d.matched[i].number)
			}
		}
		return
	}
	for a, b := 0, 0; a < len(expected) || b < len(d.matched); {
		switch {
		case b == len(d.matched) || a < len(expected) && expected[a].Leaf < d.matched[b].leaf:
			fail("CLY_RECONCILE_MISSING", j.number)
			a++
		case a == len(expected) || d.matched[b].leaf < expected[a].Leaf:
			fail("CLY_RECONCILE_EXTRA", d.matched[b].number)
			b++
		default:
			if !bytes.Equal(expected[a].Line, d.matched[b].digest[:]) {
				fail("CLY_RECONCILE_LINE", d.matched[b].number)
			}
			a++
			b++
		}
	}
}

// Findings is what the reconciliation found, for the report.
type Findings struct {
	Counts map[string]int64
	Listed []Finding
}

// Finding is one effect that is not what was permitted.
type Finding struct {
	Status, Reason string
	Leaf           int64
}

const maxFindings = 20

func (j *journal) find(verdict ledger.Verdict) {
	if j.v.out.Findings == nil {
		j.v.out.Findings = &Findings{Counts: map[string]int64{}}
	}
	findings := j.v.out.Findings
	findings.Counts[verdict.Status]++
	if verdict.Status != "matched" && len(findings.Listed) < maxFindings {
		findings.Listed = append(findings.Listed, Finding{verdict.Status, verdict.Reason, verdict.Leaf})
	}
}

// digestMember is a digest that stands in a body.
func digestMember(v strictjson.Value, name string) (digest [32]byte, ok bool) {
	text, ok := v.Get(name).PlainText()
	if !ok || len(text) != 64 {
		return digest, false
	}
	if _, err := hex.Decode(digest[:], text); err != nil || hex.EncodeToString(digest[:]) != string(text) {
		return digest, false
	}
	return digest, true
}
