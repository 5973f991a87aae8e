// SPDX-License-Identifier: Apache-2.0

package line

import (
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

var (
	// The members of every kind, so that a body is walked once; which of the optional ones must be there follows from the kind. The
	// order of the members is that of the constants below.
	observationShape = shape.Open("kind", "observation_id", "source_id", "tenant", "v", "blind_spots?", "cause?", "changes_refused?",
		"commit_end_lsn?", "committed_at?", "component?", "covers_until?", "detected_at?", "failed_at?", "from_lsn?", "lsn?", "reason?",
		"relations?", "restored_at?", "scope?", "sha256?", "size?", "system_id?", "timeline?", "to_lsn?", "token_hashes?")
	relationShape = shape.Open("ddl?", "deletes", "inserts", "name", "schema", "truncates", "updates")
	blindShape    = shape.Open("code", "relation?")
)

const (
	oKind = iota
	oObservationID
	oSource
	oTenant
	oV
	oBlindSpots
	oCause
	oRefused
	oCommitEnd
	oCommittedAt
	oComponent
	oCoversUntil
	oDetectedAt
	oFailedAt
	oFrom
	oLSN
	oReason
	oRelations
	oRestoredAt
	oScope
	oSHA256
	oSize
	oSystem
	oTimeline
	oTo
	oTokens
	oFields
)

type observed = [oFields]strictjson.Value

const observationAt = "observation.body"

// has says whether the members of a kind are there.
func (l *Line) has(f *observed, places ...int) bool {
	return l.c.Present(observationAt, observationShape, f[:], places...)
}

// Limits of a coverage body.
const (
	maxCovered = 512
	maxBlind   = 64
)

func (l *Line) readObservation() {
	const at = observationAt
	var f observed
	c := &l.c
	if !c.Fill(l.Observation.Value, at, observationShape, f[:]) {
		return
	}
	o := &l.Observation
	*o = Observation{Body: Body{Value: o.Value, Sig: o.Sig, Kind: f[oKind], Tenant: f[oTenant]}}
	o.Name = l.again(&l.names.kind, f[oKind], "kind")
	o.ID = c.ID(f[oObservationID], at, "observation_id")
	o.Source = l.again(&l.names.source, f[oSource], "source_id")
	shape.Text(c, f[oTenant], at, "tenant")
	c.Int(f[oV], at, "v", 0, 0)
	switch o.Name {
	case "transaction":
		l.readTransaction(&f)
	case "watermark":
		l.readWatermark(&f)
	case "gap":
		if l.has(&f, oFrom, oReason, oTo) {
			o.LSN, o.Reason, o.To = l.text(f[oFrom], "from_lsn"), l.text(f[oReason], "reason"), l.text(f[oTo], "to_lsn")
		}
	case "coverage":
		l.readCoverage(&f)
	case "outage":
		l.readOutage(&f)
	case "document":
		if l.has(&f, oSHA256, oSize) {
			o.DocumentHash, o.DocumentSize = c.Hash(f[oSHA256], at, "sha256"), c.Count(f[oSize], at, "size")
		}
	}
}

func (l *Line) text(v strictjson.Value, name string) string {
	return l.c.Text(v, observationAt, name, 0, strictjson.MaxRecordBytes)
}

// again is text for what neighbouring lines nearly always say alike: it gives what was said before where that is the same.
func (l *Line) again(said *string, v strictjson.Value, name string) string {
	if !v.TextIs(*said) {
		*said = l.text(v, name)
	}
	return *said
}

func (l *Line) readTransaction(f *observed) {
	const at = observationAt
	c, o := &l.c, &l.Observation
	if !l.has(f, oCommitEnd, oCommittedAt, oRelations, oSystem, oTimeline, oTokens) {
		return
	}
	o.LSN = l.position(f[oCommitEnd], "commit_end_lsn")
	o.CommittedAt = c.Count(f[oCommittedAt], at, "committed_at")
	o.System, o.Timeline = l.again(&l.names.system, f[oSystem], "system_id"), c.Count(f[oTimeline], at, "timeline")
	o.Relations, o.Tokens = f[oRelations], f[oTokens]
	if c.Array(f[oRelations], at, "relations", 1<<20) {
		for element := range f[oRelations].Each {
			l.checkRelation(element)
		}
	}
	if c.Array(f[oTokens], at, "token_hashes", 1<<20) {
		for element := range f[oTokens].Each {
			c.Hash(element, at, "token_hashes")
		}
	}
}

func (l *Line) checkRelation(v strictjson.Value) {
	const at = "observation.body.relations"
	var f [7]strictjson.Value
	c := &l.c
	if !c.Fill(v, at, relationShape, f[:]) {
		return
	}
	if f[0].Present() {
		c.Count(f[0], at, "ddl")
	}
	deletes, inserts := c.Count(f[1], at, "deletes"), c.Count(f[2], at, "inserts")
	shape.Text(c, f[3], at, "name")
	shape.Text(c, f[4], at, "schema")
	c.Count(f[5], at, "truncates")
	updates := c.Count(f[6], at, "updates")
	// Each of them is at most 2^53−1, so the sum is far from wrapping around.
	l.Observation.Rows = min(l.Observation.Rows+deletes+inserts+updates, strictjson.MaxInteger)
}

// Relation is what a transaction did to one relation.
type Relation struct {
	Schema, Name                         string
	Inserts, Updates, Deletes, Truncates int64
	HasDDL                               bool
	DDL                                  int64
}

// ReadRelation takes one apart that Parse has accepted.
func ReadRelation(v strictjson.Value) (r Relation) {
	var c shape.Checker
	var f [7]strictjson.Value
	c.Fields(v, "", relationShape, f[:])
	r.HasDDL = f[0].Present()
	r.DDL, _ = f[0].Int()
	r.Deletes, _ = f[1].Int()
	r.Inserts, _ = f[2].Int()
	r.Name, _ = f[3].Text()
	r.Schema, _ = f[4].Text()
	r.Truncates, _ = f[5].Int()
	r.Updates, _ = f[6].Int()
	return r
}

func (l *Line) readWatermark(f *observed) {
	c, o := &l.c, &l.Observation
	if !l.has(f, oCoversUntil, oLSN, oSystem, oTimeline) {
		return
	}
	o.CoversUntil = c.Count(f[oCoversUntil], observationAt, "covers_until")
	o.LSN = l.text(f[oLSN], "lsn")
	o.System, o.Timeline = l.text(f[oSystem], "system_id"), c.Count(f[oTimeline], observationAt, "timeline")
}

func (l *Line) readCoverage(f *observed) {
	const at = observationAt
	c, o := &l.c, &l.Observation
	if !l.has(f, oBlindSpots, oLSN, oRelations, oScope) {
		return
	}
	o.LSN, o.Scope = l.text(f[oLSN], "lsn"), l.text(f[oScope], "scope")
	if o.Scope != "all" && o.Scope != "listed" {
		c.Fault(at, "scope")
	}
	o.Relations, o.Blind = f[oRelations], f[oBlindSpots]
	if c.Array(o.Relations, at, "relations", maxCovered) {
		last, first := "", true
		for element := range o.Relations.Each {
			name := l.text(element, "relations")
			if !first && strictjson.CompareText(last, name) >= 0 {
				c.Fault(at, "relations")
			}
			last, first = name, false
		}
	}
	if c.Array(o.Blind, at, "blind_spots", maxBlind) {
		for element := range o.Blind.Each {
			var g [2]strictjson.Value
			if !c.Fields(element, at, blindShape, g[:]) {
				return
			}
			shape.Text(c, g[0], at, "blind_spots")
			if g[1].Present() {
				shape.Text(c, g[1], at, "blind_spots")
			}
		}
	}
}

func (l *Line) readOutage(f *observed) {
	const at = observationAt
	c, o := &l.c, &l.Observation
	if !l.has(f, oCause, oRefused, oComponent, oDetectedAt, oFailedAt, oRestoredAt) {
		return
	}
	o.Cause, o.Component = l.text(f[oCause], "cause"), l.text(f[oComponent], "component")
	o.Refused = c.Count(f[oRefused], at, "changes_refused")
	o.DetectedAt, o.FailedAt = c.Count(f[oDetectedAt], at, "detected_at"), c.Count(f[oFailedAt], at, "failed_at")
	o.RestoredAt = c.Count(f[oRestoredAt], at, "restored_at")
}

func (l *Line) position(v strictjson.Value, name string) string {
	text := l.text(v, name)
	position, ok := ParsePosition(text)
	if !ok {
		l.c.Fault(observationAt, name)
	}
	l.Observation.Position = position
	return text
}

// FullName is schema.name.
func (r *Relation) FullName() string { return r.Schema + "." + r.Name }

// Operations are the kinds of effects with a count above 0.
func (r *Relation) Operations() []string {
	operations := make([]string, 0, 5)
	for _, effect := range []struct {
		name  string
		count int64
	}{{"insert", r.Inserts}, {"update", r.Updates}, {"delete", r.Deletes}, {"truncate", r.Truncates}, {"ddl", r.DDL}} {
		if effect.count > 0 {
			operations = append(operations, effect.name)
		}
	}
	return operations
}
