// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"

	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// kinds of lines, in the order in which they stand.
var kindOrder = map[string]int{
	"head": 1, "run": 2, "guarded": 3, "source": 4, "covered": 5, "blind_spot": 6, "seen": 7, "delegation": 8, "grant": 9, "pending": 10,
}

var (
	headShape       = shape.Closed("chain", "kind", "last_decided_at", "last_offset", "last_outcome_at", "policy", "trust_root", "v")
	chainShape      = shape.Closed("head", "next_seq")
	runShape        = shape.Closed("head", "kind", "next_seq", "run_id")
	relationShape   = shape.Closed("kind", "relation", "source_id")
	sourceShape     = shape.Closed("coverage", "kind", "newest", "registered", "source_id", "watermark")
	coverageShape   = shape.Closed("lsn", "observation_id", "scope")
	newestShape     = shape.Closed("lsn", "system_id", "timeline")
	watermarkShape  = shape.Closed("covers_until", "lsn")
	blindShape      = shape.Closed("code", "kind", "relation", "source_id")
	seenShape       = shape.Closed("kind", "observation_id", "of", "source_id")
	delegationShape = shape.Closed("append_time", "command", "kind", "signatures")
	grantShape      = shape.Closed("event_id", "expires_at", "kind", "not_before", "operations", "receipt_id", "relations",
		"rows_max", "source_id", "token_hash", "used_by")
	pendingShape  = shape.Closed("append_time", "committed_at", "kind", "leaf", "observation_id", "relations", "source_id", "token_hashes")
	relationsRule = shape.Object(shape.Member{Name: "ddl?", Rule: shape.Count}, shape.Member{Name: "deletes", Rule: shape.Count},
		shape.Member{Name: "inserts", Rule: shape.Count}, shape.Member{Name: "name", Rule: shape.Text},
		shape.Member{Name: "schema", Rule: shape.Text}, shape.Member{Name: "truncates", Rule: shape.Count},
		shape.Member{Name: "updates", Rule: shape.Count})
	textListRule = shape.List(1<<20, shape.Text)
	digestsRule  = shape.List(1<<20, shape.Digest)
)

// Reader reads a ledger artifact line by line.
type Reader struct {
	ledger *Ledger
	doc    strictjson.Doc
	c      shape.Checker
	kind   int
	// The order keys of the line before.
	first, second string
	token         [32]byte
	leaf          int64
	bytes         int64
}

// NewReader starts with an empty ledger.
func NewReader() *Reader { return &Reader{ledger: empty(), leaf: -1} }

// Ledger is what was read; ok is false when no head stood.
func (r *Reader) Ledger() (l *Ledger, ok bool) {
	for source, names := range r.ledger.Guarded {
		copied := map[string]struct{}{}
		for name := range names {
			copied[name] = struct{}{}
		}
		r.ledger.Since[source] = copied
	}
	return r.ledger, r.kind > 0
}

// Line reads the next line, without its LF; false when it is not of the form.
func (r *Reader) Line(line []byte) bool {
	r.bytes += int64(len(line)) + 1
	if r.bytes > MaxBytes || r.doc.Parse(line, strictjson.Record) != nil {
		return false
	}
	r.c.Reset()
	name, _ := r.doc.Root().Get("kind").Text()
	kind := kindOrder[name]
	if kind == 0 || kind < r.kind || (kind == 1) != (r.kind == 0) {
		return false
	}
	if kind > r.kind {
		r.first, r.second = "", ""
	}
	fresh := kind > r.kind
	r.kind = kind
	root := r.doc.Root()
	switch name {
	case "head":
		r.head(root)
	case "run":
		r.run(root, fresh)
	case "guarded", "covered":
		r.relation(root, name, fresh)
	case "source":
		r.source(root, fresh)
	case "blind_spot":
		r.blind(root)
	case "seen":
		r.seen(root, fresh)
	case "delegation":
		r.delegation(root)
	case "grant":
		r.grant(root, line, fresh)
	case "pending":
		r.pending(root, line)
	}
	return r.c.OK()
}

// ascend wants the keys above those of the line before.
func (r *Reader) ascend(fresh bool, first, second string) {
	order := strictjson.CompareText(r.first, first)
	if order == 0 {
		order = strictjson.CompareText(r.second, second)
	}
	if !fresh && order >= 0 {
		r.c.Fault("", "")
	}
	r.first, r.second = first, second
}

func (r *Reader) within(count, limit int) {
	if count > limit {
		r.c.Fault("", "")
	}
}

const anyText = 1 << 20

func (r *Reader) text(v strictjson.Value) string { return r.c.Text(v, "", "", 0, anyText) }

func (r *Reader) head(root strictjson.Value) {
	var f [8]strictjson.Value
	var g [2]strictjson.Value
	l, c := r.ledger, &r.c
	if !c.Fields(root, "", headShape, f[:]) || !c.Fields(f[0], "chain", chainShape, g[:]) {
		return
	}
	l.Head, l.NextSeq = c.Hash(g[0], "", "head"), c.Count(g[1], "", "next_seq")
	l.LastDecidedAt = c.Count(f[2], "", "last_decided_at")
	l.LastOffset = c.Int(f[3], "", "last_offset", -1, strictjson.MaxInteger)
	if l.HasOutcome = !f[4].IsNull(); l.HasOutcome {
		l.LastOutcomeAt = c.Count(f[4], "", "last_outcome_at")
	}
	l.Policy, l.HasPolicy = c.HashOrNull(f[5], "", "policy")
	l.TrustRoot = c.Hash(f[6], "", "trust_root")
	c.Int(f[7], "", "v", 0, 0)
}

func (r *Reader) run(root strictjson.Value, fresh bool) {
	var f [4]strictjson.Value
	if !r.c.Fields(root, "", runShape, f[:]) {
		return
	}
	id := r.text(f[3])
	r.ascend(fresh, id, "")
	r.ledger.Runs[id] = Run{r.c.Count(f[2], "", "next_seq"), r.c.Hash(f[0], "", "head")}
	r.within(len(r.ledger.Runs), maxRuns)
}

func (r *Reader) relation(root strictjson.Value, kind string, fresh bool) {
	var f [3]strictjson.Value
	if !r.c.Fields(root, "", relationShape, f[:]) {
		return
	}
	source, relation := r.text(f[2]), r.text(f[1])
	r.ascend(fresh, source, relation)
	if kind == "guarded" {
		r.ledger.Guarded.add(source, relation)
		return
	}
	of := r.ledger.Sources[source]
	if of == nil || !of.HasCoverage {
		r.c.Fault("", "source_id")
		return
	}
	of.Covered[relation] = struct{}{}
	r.ledger.covered++
	r.within(r.ledger.covered, maxCovered)
}

func (r Relations) add(source, relation string) {
	if r[source] == nil {
		r[source] = map[string]struct{}{}
	}
	r[source][relation] = struct{}{}
}

func (r *Reader) source(root strictjson.Value, fresh bool) {
	var f [6]strictjson.Value
	var g [3]strictjson.Value
	c := &r.c
	if !c.Fields(root, "", sourceShape, f[:]) {
		return
	}
	source := &Source{Covered: map[string]struct{}{}, Registered: c.Bool(f[3], "", "registered")}
	if source.HasCoverage = !f[0].IsNull(); source.HasCoverage && c.Fields(f[0], "coverage", coverageShape, g[:]) {
		source.CoverageLSN, source.CoverageID, source.CoverageScope = r.text(g[0]), c.ID(g[1], "", ""), r.text(g[2])
		shape.OneOf("all", "listed")(c, g[2], "coverage", "scope")
	}
	if source.HasNewest = !f[2].IsNull(); source.HasNewest && c.Fields(f[2], "newest", newestShape, g[:]) {
		source.Newest = Place{r.text(g[1]), c.Count(g[2], "", ""), position(c, g[0])}
	}
	if source.HasWatermark = !f[5].IsNull(); source.HasWatermark && c.Fields(f[5], "watermark", watermarkShape, g[:2]) {
		source.CoversUntil, source.WatermarkLSN = c.Count(g[0], "", ""), r.text(g[1])
	}
	id := r.text(f[4])
	r.ascend(fresh, id, "")
	r.ledger.Sources[id] = source
	r.within(len(r.ledger.Sources), maxSources)
}

func position(c *shape.Checker, v strictjson.Value) string {
	text, _ := v.Text()
	if _, ok := line.ParsePosition(text); !ok {
		c.Fault("", "lsn")
	}
	return text
}

func (r *Reader) blind(root strictjson.Value) {
	var f [4]strictjson.Value
	if !r.c.Fields(root, "", blindShape, f[:]) {
		return
	}
	spot := Blind{Code: r.text(f[0])}
	if spot.HasRelation = !f[2].IsNull(); spot.HasRelation {
		spot.Relation = r.text(f[2])
	}
	id := r.text(f[3])
	of := r.ledger.Sources[id]
	if of == nil || !of.HasCoverage || strictjson.CompareText(r.first, id) > 0 {
		r.c.Fault("", "source_id")
		return
	}
	if n := len(of.Blind); n > 0 && compareBlind(of.Blind[n-1], spot) >= 0 || n >= maxBlind {
		r.c.Fault("", "code")
		return
	}
	r.first = id
	of.Blind = append(of.Blind, spot)
}

func (r *Reader) seen(root strictjson.Value, fresh bool) {
	var f [4]strictjson.Value
	if !r.c.Fields(root, "", seenShape, f[:]) {
		return
	}
	key := SeenKey{r.text(f[3]), r.text(f[2])}
	r.ascend(fresh, key.Source, key.Of)
	r.ledger.Seen[key] = r.c.ID(f[1], "", "observation_id")
	r.within(len(r.ledger.Seen), maxSeen)
}

func (r *Reader) delegation(root strictjson.Value) {
	var f [4]strictjson.Value
	if !r.c.Fields(root, "", delegationShape, f[:]) {
		return
	}
	validTo, ok := f[1].Get("key").Get("valid_to").Int()
	if f[1].Kind() != strictjson.Object || f[3].Kind() != strictjson.Array || !ok || validTo < 0 {
		r.c.Fault("", "command")
	}
	r.ledger.Delegations = append(r.ledger.Delegations, Delegation{
		AppendTime: r.c.Count(f[0], "", "append_time"), Command: bytes.Clone(f[1].Raw()), Signatures: bytes.Clone(f[3].Raw()), ValidTo: validTo,
	})
	r.within(len(r.ledger.Delegations), maxDelegations)
}

func (r *Reader) grant(root strictjson.Value, line []byte, fresh bool) {
	var f [11]strictjson.Value
	c := &r.c
	if !c.Fields(root, "", grantShape, f[:]) {
		return
	}
	grant := &Grant{
		EventID: r.text(f[0]), ExpiresAt: c.Count(f[1], "", ""), NotBefore: c.Count(f[3], "", ""), ReceiptID: c.ID(f[5], "", ""),
		RowsMax: c.Count(f[7], "", ""), Source: r.text(f[8]),
	}
	textListRule(c, f[4], "", "operations")
	textListRule(c, f[6], "", "relations")
	grant.Operations, grant.Relations = r.ledger.texts(f[4]), r.ledger.texts(f[6])
	token := c.Hash(f[9], "", "token_hash")
	if grant.Used = !f[10].IsNull(); grant.Used {
		grant.UsedBy = c.ID(f[10], "", "used_by")
	}
	if !fresh && bytes.Compare(r.token[:], token[:]) >= 0 {
		c.Fault("", "token_hash")
	}
	r.token = token
	r.ledger.Grants[token] = grant
	if r.ledger.grantBytes += int64(len(line)) + 1; r.ledger.grantBytes > maxGrantBytes {
		c.Fault("", "")
	}
}

func (l *Ledger) texts(v strictjson.Value) *List {
	return l.shared(v.Raw(), func() []string {
		items := make([]string, 0, v.Len())
		for item := range v.Each {
			text, _ := item.Text()
			items = append(items, text)
		}
		return items
	})
}

func (r *Reader) pending(root strictjson.Value, line []byte) {
	var f [8]strictjson.Value
	c := &r.c
	if !c.Fields(root, "", pendingShape, f[:]) {
		return
	}
	c.Count(f[0], "", "append_time")
	c.Count(f[1], "", "committed_at")
	leaf := c.Count(f[3], "", "leaf")
	c.ID(f[4], "", "observation_id")
	shape.List(1<<20, relationsRule)(c, f[5], "", "relations")
	r.text(f[6])
	digestsRule(c, f[7], "", "token_hashes")
	if leaf <= r.leaf {
		c.Fault("", "leaf")
	}
	r.leaf = leaf
	r.ledger.Pending = append(r.ledger.Pending, bytes.Clone(line))
	if r.ledger.pendBytes += int64(len(line)) + 1; r.ledger.pendBytes > maxPendBytes {
		c.Fault("", "")
	}
}
