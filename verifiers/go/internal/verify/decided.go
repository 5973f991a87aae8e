// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"clyra.dev/verifiers/go/internal/ledger"
	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/strictjson"
)

var prevPrefix = []byte("clyra/prev/v0\n")

// linkTo is the link to a body.
func (j *journal) linkTo(body []byte) [32]byte {
	j.scratch = append(append(j.scratch[:0], prevPrefix...), body...)
	return sha256.Sum256(j.scratch)
}

func sameText(a, b strictjson.Value) bool { return bytes.Equal(a.Raw(), b.Raw()) }

// takeDecided judges a decided line, in the order of E9.
func (j *journal) takeDecided() {
	l := &j.line
	changeDigest := sha256.Sum256(l.Change.Value.Raw())
	j.judgeBindings(changeDigest)
	j.judgeSignaturesOfLine(changeDigest)
	if l.Receipt.Decision == "allow" && isCommand(&l.Change) {
		j.judgeCommand()
	}
	link := j.linkTo(l.Receipt.Value.Raw())
	j.judgeOrder()
	j.judgeChain(link)
	j.judgePolicy()
	j.count()
	j.foldDecided()
	if l.Receipt.IsCut {
		j.judgeCut()
	} else {
		j.derived.interrupt(j)
	}
}

// judgeBindings is the first two rules of docs/spec/journal.md §3.
func (j *journal) judgeBindings(changeDigest [32]byte) {
	l, man := &j.line, j.v.man
	r := &l.Receipt
	bad := ""
	switch {
	case r.ChangeDigest != changeDigest:
		bad = "receipt.body.change_digest"
	case !sameText(r.EventID, l.Change.EventID):
		bad = "receipt.body.event_id"
	case !sameText(r.ChangeKind, l.Change.Kind):
		bad = "receipt.body.change_kind"
	case !r.StreamID.TextIs(man.StreamText):
		bad = "receipt.body.stream_id"
	case r.Partition != man.Partition:
		bad = "receipt.body.partition"
	case r.ReceiptID != receiptID(man.StreamText, r.Partition, r.Offset):
		bad = "receipt.body.receipt_id"
	case l.Change.Command.Present() && !sameText(l.Change.Command.Get("kind"), l.Change.Kind):
		bad = "change.body.command.kind"
	case !r.Recorded && l.Change.Facts.Kind() == strictjson.Object && !inspectionBound(l):
		bad = "receipt.body.inspected_under"
	}
	if bad != "" {
		j.fail(report.Integrity, "CLY_LINE_BINDING", bad)
	}
	if !l.Change.Tenant.TextIs(man.Tenant) || !r.Tenant.TextIs(man.Tenant) {
		j.fail(report.Integrity, "CLY_LINE_TENANT", "tenant")
	}
}

func inspectionBound(l *line.Line) bool {
	if !l.Receipt.Inspected.Present() {
		return l.Receipt.Decision == "block"
	}
	return sameText(l.Receipt.Inspected, l.Change.Facts.Get("inspected_under"))
}

func receiptID(stream string, partition, offset int64) (id [16]byte) {
	var buffer [96]byte
	text := append(append(buffer[:0], stream...), '\n')
	text = append(strconv.AppendInt(text, partition, 10), '\n')
	digest := sha256.Sum256(strconv.AppendInt(text, offset, 10))
	return [16]byte(digest[:16])
}

func (j *journal) judgeOrder() {
	led, r := j.v.ledger, &j.line.Receipt
	if r.Offset <= led.LastOffset {
		j.fail(report.Order, "CLY_ORDER_OFFSET", "receipt.body.offset")
	}
	if r.PreviousOffset < led.LastOffset || r.PreviousOffset >= r.Offset {
		j.fail(report.Order, "CLY_ORDER_PREVIOUS_OFFSET", "receipt.body.previous_offset")
	}
	if r.DecidedAt < led.LastDecidedAt {
		j.fail(report.Order, "CLY_ORDER_TIME", "receipt.body.decided_at")
	}
	led.LastOffset, led.LastDecidedAt = r.Offset, r.DecidedAt
}

// judgeChain follows the tenant's chain and the run's. Whatever stands there becomes the place to go on from, so that one
// fault is not repeated on every line behind it.
func (j *journal) judgeChain(link [32]byte) {
	led, r := j.v.ledger, &j.line.Receipt
	if r.TenantPrev != led.Head {
		j.fail(report.Order, "CLY_CHAIN_LINK", "receipt.body.tenant_prev")
	}
	if r.TenantSeq != led.NextSeq {
		j.fail(report.Completeness, "CLY_CHAIN_GAP", "receipt.body.tenant_seq")
	}
	led.Head, led.NextSeq = link, r.TenantSeq+1
	if !r.InRun {
		return
	}
	if j.closedRuns[r.RunID] {
		j.fail(report.Completeness, "CLY_RUN_AFTER_CLOSE", "receipt.body.run_id")
	}
	run, open := led.Runs[r.RunID]
	if !open {
		run = ledger.Run{Head: ledger.RunGenesis(j.v.man.Tenant, r.RunID)}
	}
	if r.Prev != run.Head {
		j.fail(report.Order, "CLY_RUN_LINK", "receipt.body.prev")
	}
	if r.Seq != run.NextSeq {
		j.fail(report.Completeness, "CLY_RUN_GAP", "receipt.body.seq")
	}
	if r.Allowed("run.closed") {
		if r.Count != r.Seq {
			j.fail(report.Completeness, "CLY_RUN_COUNT", "receipt.body.count")
		}
		delete(led.Runs, r.RunID)
		j.closedRuns[r.RunID] = true
		j.runsClosed = append(j.runsClosed, closedRun{r.RunID, r.Seq})
		return
	}
	if !led.SetRun(r.RunID, ledger.Run{NextSeq: r.Seq + 1, Head: link}) {
		j.fail(report.Integrity, "CLY_LEDGER_LIMIT", "receipt.body.run_id")
	}
}

// judgePolicy is §3.2.
func (j *journal) judgePolicy() {
	led, r, v := j.v.ledger, &j.line.Receipt, j.v
	if r.Recorded {
		return
	}
	request := r.ChangeKind.TextIs("change.requested")
	puts, has := j.putsPolicy()
	before := r.HasPolicy == led.HasPolicy && (!r.HasPolicy || r.Policy == led.Policy)
	after := has && r.HasPolicy && r.Policy == puts
	if !before && (request || !after) {
		j.fail(report.Policy, "CLY_POLICY_OTHER", "receipt.body.policy_digest")
	}
	if r.HasPolicy && !v.policies[r.Policy] {
		j.fail(report.Policy, "CLY_POLICY_MISSING", "receipt.body.policy_digest")
	}
	if has && !v.policies[puts] {
		j.fail(report.Policy, "CLY_POLICY_MISSING", "change.body.command.policy")
	}
	if request && r.Decision != "block" {
		if !j.inspectedUnderPolicy() {
			j.fail(report.Policy, "CLY_POLICY_INSPECTION", "receipt.body.inspected_under")
		}
	}
}

// inspectedUnderPolicy says whether the request was inspected under the policy that decided.
func (j *journal) inspectedUnderPolicy() bool {
	r := &j.line.Receipt
	under := r.Inspected.Get("policy_digest")
	if !r.HasPolicy {
		return under.IsNull()
	}
	text, _ := under.PlainText()
	return string(text) == hex.EncodeToString(r.Policy[:])
}

// putsPolicy is the policy that an allowed command puts in force.
func (j *journal) putsPolicy() (digest [32]byte, ok bool) {
	r := &j.line.Receipt
	if !r.Allowed("tenant.opened") && !r.Allowed("policy.activated") {
		return digest, false
	}
	return digestMember(j.line.Change.Command, "policy")
}

// foldDecided is what a decided line changes in the ledger beside its chains.
func (j *journal) foldDecided() {
	led, l := j.v.ledger, &j.line
	r := &l.Receipt
	if r.ChangeKind.TextIs("change.outcome") {
		led.HasOutcome, led.LastOutcomeAt = true, l.AppendTime
	}
	if r.Decision != "allow" {
		return
	}
	if digest, ok := j.putsPolicy(); ok {
		j.putPolicy(digest)
	}
	switch kind, _ := r.ChangeKind.Text(); kind {
	case "tenant.opened", "trust_root.activated":
		if digest, ok := digestMember(l.Change.Command, "trust_root"); ok {
			led.TrustRoot = digest
		}
	case "source.registered":
		if id, ok := l.Change.Command.Get("source_id").Text(); ok && !led.Register(id) {
			j.fail(report.Integrity, "CLY_LEDGER_LIMIT", "change.body.command.source_id")
		}
	case "change.requested":
		forgotten, unobserved := led.AddGrants(r)
		j.metrics.forgotten += forgotten
		j.metrics.unobserved += unobserved
	case "key.delegated":
		j.foldDelegation()
	}
}

func (j *journal) putPolicy(digest [32]byte) {
	var guarded ledger.Relations
	if j.v.policies[digest] {
		guarded, _, _ = j.v.readPolicy(digest)
	} else {
		j.fail(report.Reconciliation, "CLY_RECONCILE_POLICY", "change.body.command.policy")
	}
	if guarded == nil {
		guarded = ledger.Relations{}
	}
	if !j.v.ledger.HasPolicy || j.v.ledger.Policy != digest {
		j.listPolicy(digest)
	}
	j.v.ledger.PutPolicy(digest, guarded)
}

func (j *journal) foldDelegation() {
	command := j.line.Change.Command
	validTo, ok := command.Get("key").Get("valid_to").Int()
	if !ok || validTo < 0 || j.line.Change.Signatures.Kind() != strictjson.Array {
		return
	}
	kept := j.v.ledger.Delegate(ledger.Delegation{
		AppendTime: j.line.AppendTime, Command: bytes.Clone(command.Raw()),
		Signatures: bytes.Clone(j.line.Change.Signatures.Raw()), ValidTo: validTo,
	})
	if !kept {
		j.fail(report.Integrity, "CLY_LEDGER_LIMIT", "change.body.command")
		return
	}
	j.lend()
}
