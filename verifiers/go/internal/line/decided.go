// SPDX-License-Identifier: Apache-2.0

package line

import (
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

var (
	changeShape = shape.Open("command?", "correlation?", "documents?", "event_id", "facts?", "intake_at?", "kind", "signatures?", "tenant", "v")
	// The order of the members is that of the constants below.
	receiptShape = shape.Open("change_digest", "change_kind", "count?", "decided_at", "decision?", "effect?", "engine?", "event_id",
		"grants?", "inspected_under?", "kind", "mode?", "offset", "partition", "policy_digest?", "prev?", "previous_offset",
		"reasons?", "receipt_id", "run_id?", "seq?", "state_digest?", "stream_id", "supersedes?", "tenant", "tenant_prev",
		"tenant_seq", "v")
	grantShape = shape.Open("expires_at", "operations", "relations", "rows_max", "source_id", "token_hash")
)

const (
	rChangeDigest = iota
	rChangeKind
	rCount
	rDecidedAt
	rDecision
	rEffect
	rEngine
	rEventID
	rGrants
	rInspected
	rKind
	rMode
	rOffset
	rPartition
	rPolicy
	rPrev
	rPreviousOffset
	rReasons
	rReceiptID
	rRunID
	rSeq
	rState
	rStream
	rSupersedes
	rTenant
	rTenantPrev
	rTenantSeq
	rV
	rFields
)

func (l *Line) readChange() {
	const at = "change.body"
	var f [10]strictjson.Value
	c := &l.c
	if !c.Fill(l.Change.Value, at, changeShape, f[:]) {
		return
	}
	ch := &l.Change
	ch.Command, ch.Documents, ch.EventID, ch.Facts, ch.IntakeAt, ch.Kind, ch.Signatures, ch.Tenant = f[0], f[2], f[3], f[4], f[5], f[6], f[7], f[8]
	shape.Text(c, f[3], at, "event_id")
	shape.Text(c, f[6], at, "kind")
	shape.Text(c, f[8], at, "tenant")
	c.Int(f[9], at, "v", 0, 0)
	if f[1].Present() && f[6].TextIs("run.opened") {
		checkCorrelation(c, f[1], at)
	}
}

func (l *Line) readReceipt() {
	const at = "receipt.body"
	var f [rFields]strictjson.Value
	c := &l.c
	if !c.Fill(l.Receipt.Value, at, receiptShape, f[:]) {
		return
	}
	r := &l.Receipt
	*r = Receipt{Body: Body{Value: r.Value, Sig: r.Sig, Kind: f[rKind], Tenant: f[rTenant], EventID: f[rEventID]}}
	r.ChangeKind, r.StreamID, r.ReceiptIDText = f[rChangeKind], f[rStream], f[rReceiptID]
	r.Effect, r.Mode, r.Reasons, r.Inspected, r.Grants = f[rEffect], f[rMode], f[rReasons], f[rInspected], f[rGrants]
	r.HasSuperseds = f[rSupersedes].Present()
	r.ChangeDigest = c.Hash(f[rChangeDigest], at, "change_digest")
	shape.Text(c, f[rChangeKind], at, "change_kind")
	r.DecidedAt = c.Count(f[rDecidedAt], at, "decided_at")
	shape.Text(c, f[rEventID], at, "event_id")
	r.Offset = c.Count(f[rOffset], at, "offset")
	r.Partition = c.Count(f[rPartition], at, "partition")
	r.PreviousOffset = c.Int(f[rPreviousOffset], at, "previous_offset", -1, strictjson.MaxInteger)
	r.ReceiptID = c.ID(f[rReceiptID], at, "receipt_id")
	c.ID(f[rStream], at, "stream_id")
	shape.Text(c, f[rTenant], at, "tenant")
	r.TenantPrev = c.Hash(f[rTenantPrev], at, "tenant_prev")
	r.TenantSeq = c.Count(f[rTenantSeq], at, "tenant_seq")
	c.Int(f[rV], at, "v", 0, 0)
	if r.HasState = f[rState].Present(); r.HasState {
		c.Hash(f[rState], at, "state_digest")
		r.StateDigest = f[rState]
		r.IsCut = !r.ChangeKind.TextIs("tenant.opened")
	}
	l.readRun(f[rRunID], f[rSeq], f[rPrev])
	switch {
	case f[rKind].TextIs("recorded"):
		r.Recorded = true
	case f[rKind].TextIs("decided"):
		l.readDecision(&f)
	default:
		c.Fault(at, "kind")
	}
}

func (l *Line) readRun(runID, seq, prev strictjson.Value) {
	const at = "receipt.body"
	r := &l.Receipt
	r.InRun = runID.Present()
	if seq.Present() != r.InRun || prev.Present() != r.InRun {
		l.c.Fault(at, "run_id")
	}
	if !r.InRun || !l.c.OK() {
		return
	}
	r.RunID = l.c.Text(runID, at, "run_id", 0, strictjson.MaxRecordBytes)
	r.Seq = l.c.Count(seq, at, "seq")
	r.Prev = l.c.Hash(prev, at, "prev")
}

func (l *Line) readDecision(f *[rFields]strictjson.Value) {
	const at = "receipt.body"
	c, r := &l.c, &l.Receipt
	switch d := f[rDecision]; {
	case d.TextIs("allow"):
		r.Decision = "allow"
	case d.TextIs("block"):
		r.Decision = "block"
	case d.TextIs("hold"):
		r.Decision = "hold"
	default:
		c.Fault(at, "decision")
	}
	if !f[rPolicy].Present() {
		c.Fault(at, "policy_digest")
	}
	r.Policy, r.HasPolicy = c.HashOrNull(f[rPolicy], at, "policy_digest")
	r.Engine = c.Count(f[rEngine], at, "engine")
	if r.Decision != "allow" {
		return
	}
	if r.ChangeKind.TextIs("run.closed") {
		r.Count = c.Count(f[rCount], at, "count")
		if !r.InRun {
			c.Fault(at, "run_id")
		}
	}
	if r.ChangeKind.TextIs("change.requested") && r.Grants.Present() {
		l.checkGrants(r.Grants)
	}
}

func (l *Line) checkGrants(v strictjson.Value) {
	const at = "receipt.body.grants"
	c := &l.c
	if !c.Array(v, at, "", 1<<20) {
		return
	}
	for element := range v.Each {
		var f [6]strictjson.Value
		if !c.Fields(element, at, grantShape, f[:]) {
			return
		}
		c.Count(f[0], at, "expires_at")
		operationsRule(c, f[1], at, "operations")
		textList(c, f[2], at, "relations")
		c.Count(f[3], at, "rows_max")
		shape.Text(c, f[4], at, "source_id")
		c.Hash(f[5], at, "token_hash")
	}
}

var operationsRule = shape.List(1<<20, shape.OneOf("insert", "update", "delete", "truncate", "ddl"))

var textListRule = shape.List(1<<20, shape.Text)

func textList(c *shape.Checker, v strictjson.Value, path, name string) {
	textListRule(c, v, path, name)
}

// Allowed says whether the line is an allowed change of that kind.
func (r *Receipt) Allowed(kind string) bool {
	return r.Decision == "allow" && r.ChangeKind.TextIs(kind)
}

// GrantFields takes one grant apart that Parse has accepted.
func GrantFields(v strictjson.Value) (expiresAt, rowsMax int64, operations, relations, source, token strictjson.Value) {
	expiresAt, _ = v.Get("expires_at").Int()
	rowsMax, _ = v.Get("rows_max").Int()
	return expiresAt, rowsMax, v.Get("operations"), v.Get("relations"), v.Get("source_id"), v.Get("token_hash")
}
