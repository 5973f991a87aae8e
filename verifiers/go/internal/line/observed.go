// SPDX-License-Identifier: Apache-2.0

package line

import (
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

var (
	observationShape = shape.Open("kind", "observation_id", "source_id", "tenant", "v")
	transactionShape = shape.Open("commit_end_lsn", "committed_at", "relations", "system_id", "timeline", "token_hashes")
	watermarkShape   = shape.Open("covers_until", "lsn", "system_id", "timeline")
	gapShape         = shape.Open("from_lsn", "reason", "to_lsn")
	coverageShape    = shape.Open("blind_spots", "lsn", "relations", "scope")
	outageShape      = shape.Open("cause", "changes_refused", "component", "detected_at", "failed_at", "restored_at")
	documentShape    = shape.Open("sha256", "size")
	relationShape    = shape.Open("ddl?", "deletes", "inserts", "name", "schema", "truncates", "updates")
	blindShape       = shape.Open("code", "relation?")
)

// Limits of a coverage body.
const (
	maxCovered = 512
	maxBlind   = 64
)

func (l *Line) readObservation() {
	const at = "observation.body"
	var f [5]strictjson.Value
	c := &l.c
	if !c.Fields(l.Observation.Value, at, observationShape, f[:]) {
		return
	}
	o := &l.Observation
	*o = Observation{Body: Body{Value: o.Value, Sig: o.Sig, Kind: f[0], Tenant: f[3]}}
	o.Name = c.Text(f[0], at, "kind", 0, strictjson.MaxRecordBytes)
	o.ID = c.ID(f[1], at, "observation_id")
	o.Source = c.Text(f[2], at, "source_id", 0, strictjson.MaxRecordBytes)
	shape.Text(c, f[3], at, "tenant")
	c.Int(f[4], at, "v", 0, 0)
	switch o.Name {
	case "transaction":
		l.readTransaction()
	case "watermark":
		l.readWatermark()
	case "gap":
		l.readGap()
	case "coverage":
		l.readCoverage()
	case "outage":
		l.readOutage()
	case "document":
		var g [2]strictjson.Value
		if c.Fields(o.Value, at, documentShape, g[:]) {
			o.DocumentHash, o.DocumentSize = c.Hash(g[0], at, "sha256"), c.Count(g[1], at, "size")
		}
	}
}

func (l *Line) text(v strictjson.Value, name string) string {
	return l.c.Text(v, "observation.body", name, 0, strictjson.MaxRecordBytes)
}

func (l *Line) readTransaction() {
	const at = "observation.body"
	var f [6]strictjson.Value
	c, o := &l.c, &l.Observation
	if !c.Fields(o.Value, at, transactionShape, f[:]) {
		return
	}
	o.LSN = l.position(f[0], "commit_end_lsn")
	o.CommittedAt = c.Count(f[1], at, "committed_at")
	o.System, o.Timeline = l.text(f[3], "system_id"), c.Count(f[4], at, "timeline")
	o.Relations, o.Tokens = f[2], f[5]
	if c.Array(f[2], at, "relations", 1<<20) {
		for element := range f[2].Each {
			l.checkRelation(element)
		}
	}
	if c.Array(f[5], at, "token_hashes", 1<<20) {
		for element := range f[5].Each {
			c.Hash(element, at, "token_hashes")
		}
	}
}

func (l *Line) checkRelation(v strictjson.Value) {
	const at = "observation.body.relations"
	var f [7]strictjson.Value
	c := &l.c
	if !c.Fields(v, at, relationShape, f[:]) {
		return
	}
	if f[0].Present() {
		c.Count(f[0], at, "ddl")
	}
	c.Count(f[1], at, "deletes")
	c.Count(f[2], at, "inserts")
	shape.Text(c, f[3], at, "name")
	shape.Text(c, f[4], at, "schema")
	c.Count(f[5], at, "truncates")
	c.Count(f[6], at, "updates")
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

func (l *Line) readWatermark() {
	const at = "observation.body"
	var f [4]strictjson.Value
	c, o := &l.c, &l.Observation
	if !c.Fields(o.Value, at, watermarkShape, f[:]) {
		return
	}
	o.CoversUntil = c.Count(f[0], at, "covers_until")
	o.LSN = l.text(f[1], "lsn")
	o.System, o.Timeline = l.text(f[2], "system_id"), c.Count(f[3], at, "timeline")
}

func (l *Line) readGap() {
	const at = "observation.body"
	var f [3]strictjson.Value
	o := &l.Observation
	if l.c.Fields(o.Value, at, gapShape, f[:]) {
		o.LSN, o.Reason, o.To = l.text(f[0], "from_lsn"), l.text(f[1], "reason"), l.text(f[2], "to_lsn")
	}
}

func (l *Line) readCoverage() {
	const at = "observation.body"
	var f [4]strictjson.Value
	c, o := &l.c, &l.Observation
	if !c.Fields(o.Value, at, coverageShape, f[:]) {
		return
	}
	o.LSN, o.Scope = l.text(f[1], "lsn"), l.text(f[3], "scope")
	if o.Scope != "all" && o.Scope != "listed" {
		c.Fault(at, "scope")
	}
	o.Relations, o.Blind = f[2], f[0]
	if c.Array(f[2], at, "relations", maxCovered) {
		last, first := "", true
		for element := range f[2].Each {
			name := l.text(element, "relations")
			if !first && strictjson.CompareText(last, name) >= 0 {
				c.Fault(at, "relations")
			}
			last, first = name, false
		}
	}
	if c.Array(f[0], at, "blind_spots", maxBlind) {
		for element := range f[0].Each {
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

func (l *Line) readOutage() {
	const at = "observation.body"
	var f [6]strictjson.Value
	c, o := &l.c, &l.Observation
	if !c.Fields(o.Value, at, outageShape, f[:]) {
		return
	}
	o.Cause, o.Component = l.text(f[0], "cause"), l.text(f[2], "component")
	o.Refused = c.Count(f[1], at, "changes_refused")
	o.DetectedAt, o.FailedAt, o.RestoredAt = c.Count(f[3], at, "detected_at"), c.Count(f[4], at, "failed_at"), c.Count(f[5], at, "restored_at")
}

func (l *Line) position(v strictjson.Value, name string) string {
	text := l.text(v, name)
	position, ok := ParsePosition(text)
	if !ok {
		l.c.Fault("observation.body", name)
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
