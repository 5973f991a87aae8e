// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"

	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/report"
)

// exportRun follows the one run of an export, and what stands beside the replaced lines.
type exportRun struct {
	scope    manifest.Scope
	nextSeq  int64
	head     [32]byte
	lines    int64
	closed   bool
	neighbor neighbor
	lastLine bool
	inForce  map[[32]byte]bool
	opened   bool
	root     [32]byte
}

// neighbor is the decided line directly before, when none of the lines between was replaced.
type neighbor struct {
	stands    bool
	seq       int64
	offset    int64
	decidedAt int64
	link      [32]byte
}

func newExportRun(man *manifest.Manifest) *exportRun {
	return &exportRun{scope: man.Scope, nextSeq: man.Scope.NextSeq, head: man.Scope.Head, inForce: map[[32]byte]bool{}}
}

func (j *journal) takeReplaced() { j.export.lastLine, j.export.neighbor.stands = false, false }

// takeExported judges a line that an export left in place.
func (j *journal) takeExported() {
	j.export.lastLine = true
	switch j.line.Kind {
	case line.Observed:
		j.judgeObservation()
		if j.line.Observation.Name == "document" {
			j.countDocument(j.line.Observation.DocumentHash, j.line.Observation.DocumentSize)
		}
	case line.Decided:
		j.takeExportedDecision()
	}
	j.lastWasCut = j.line.Kind == line.Decided && j.line.Receipt.IsCut
}

func (j *journal) takeExportedDecision() {
	l, e := &j.line, j.export
	r := &l.Receipt
	changeDigest := sha256Of(l.Change.Value.Raw())
	j.judgeBindings(changeDigest)
	j.judgeSignaturesOfLine(changeDigest)
	if r.Decision == "allow" && isCommand(&l.Change) {
		j.judgeCommand()
		j.lend()
	}
	link := j.linkTo(r.Value.Raw())
	if e.neighbor.stands {
		j.judgeNeighbors()
	}
	e.neighbor = neighbor{true, r.TenantSeq, r.Offset, r.DecidedAt, link}
	if e.scope.Run && r.InRun && r.RunID == e.scope.RunID {
		j.followRun(link)
	}
	j.judgeExportPolicy()
	j.countDocuments(l.Change.Documents)
	if r.IsCut {
		kind, _ := r.ChangeKind.Text()
		state, _ := r.StateDigest.Text()
		receipt, _ := r.ReceiptIDText.Text()
		j.cut = cutFacts{kind: kind, state: state, receipt: receipt, offset: r.Offset, partition: r.Partition}
		j.lastIsSealed = r.ChangeKind.TextIs("run.closed") || r.ChangeKind.TextIs("window.closed")
	}
}

func (j *journal) judgeNeighbors() {
	e, r := j.export, &j.line.Receipt
	if r.Offset <= e.neighbor.offset {
		j.fail(report.Order, "CLY_ORDER_OFFSET", "receipt.body.offset")
	}
	if r.PreviousOffset < e.neighbor.offset || r.PreviousOffset >= r.Offset {
		j.fail(report.Order, "CLY_ORDER_PREVIOUS_OFFSET", "receipt.body.previous_offset")
	}
	if r.DecidedAt < e.neighbor.decidedAt {
		j.fail(report.Order, "CLY_ORDER_TIME", "receipt.body.decided_at")
	}
	if r.TenantPrev != e.neighbor.link {
		j.fail(report.Order, "CLY_CHAIN_LINK", "receipt.body.tenant_prev")
	}
	if r.TenantSeq != e.neighbor.seq+1 {
		j.fail(report.Completeness, "CLY_CHAIN_GAP", "receipt.body.tenant_seq")
	}
}

func (j *journal) followRun(link [32]byte) {
	e, r := j.export, &j.line.Receipt
	if e.closed {
		j.fail(report.Completeness, "CLY_RUN_AFTER_CLOSE", "receipt.body.run_id")
	}
	if r.Prev != e.head {
		j.fail(report.Order, "CLY_RUN_LINK", "receipt.body.prev")
	}
	if r.Seq != e.nextSeq {
		j.fail(report.Completeness, "CLY_RUN_GAP", "receipt.body.seq")
	}
	if r.Allowed("run.closed") {
		if r.Count != r.Seq {
			j.fail(report.Completeness, "CLY_RUN_COUNT", "receipt.body.count")
		}
		e.closed = true
	}
	e.lines++
	e.nextSeq, e.head = r.Seq+1, link
}

func (j *journal) judgeExportPolicy() {
	r, v := &j.line.Receipt, j.v
	if r.Recorded {
		return
	}
	if r.HasPolicy {
		j.export.inForce[r.Policy] = true
		if !v.policies[r.Policy] {
			j.fail(report.Policy, "CLY_POLICY_MISSING", "receipt.body.policy_digest")
		}
	}
	if digest, has := j.putsPolicy(); has {
		j.export.inForce[digest] = true
		if !v.policies[digest] {
			j.fail(report.Policy, "CLY_POLICY_MISSING", "change.body.command.policy")
		}
	}
	if r.ChangeKind.TextIs("change.requested") && r.Decision != "block" {
		if !j.inspectedUnderPolicy() {
			j.fail(report.Policy, "CLY_POLICY_INSPECTION", "receipt.body.inspected_under")
		}
	}
	if r.Allowed("tenant.opened") {
		j.export.root, j.export.opened = digestMember(j.line.Change.Command, "trust_root")
	}
}

// cutAgrees says whether the last line is the cut that the manifest names.
func (j *journal) cutAgrees() bool {
	var w writer
	w.first = true
	j.writeCut(&w)
	_, value, _ := bytes.Cut(w.bytes, []byte{':'})
	return bytes.Equal(value, j.v.man.Doc.Root().Get("cut").Raw())
}

// finishExport is E13 as far as an export has it.
func (j *journal) finishExport() error {
	v, e := j.v, j.export
	if e.scope.Run && e.lines == 0 || !e.lastLine {
		v.rep.Fail(report.Completeness, "CLY_EXPORT_RUN", report.OnLine(journalFile, j.number, ""))
	}
	if e.lastLine && !j.cutAgrees() {
		j.memberFault("cut")
	}
	if e.opened && e.root != v.man.TrustRoot {
		j.memberFault("trust_root")
	}
	for _, artifact := range v.man.Artifacts {
		size, document := j.named[artifact.Digest]
		if artifact.Kind == "policy" && e.inForce[artifact.Digest] || artifact.Kind == "document" && document && size == artifact.Size {
			continue
		}
		v.rep.Fail(report.Integrity, "CLY_BUNDLE_ARTIFACT_UNNAMED", report.In(artifact.Name(), ""))
	}
	return nil
}
