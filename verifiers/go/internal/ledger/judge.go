// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

const graceMS = 5_000

func decodeHex(out, text []byte) { shape.DecodeHex(out, text) }

// Verdict is what a cut says of one transaction.
type Verdict struct {
	Leaf   int64
	Status string
	Reason string
	// Line is the matched line that must stand.
	Line []byte
}

// transaction is a pending line read again.
type transaction struct {
	id          [16]byte
	leaf        int64
	appendTime  int64
	committedAt int64
	source      string
	relations   []line.Relation
	tokens      [][32]byte
}

func readPending(doc *strictjson.Doc, raw []byte) (t transaction) {
	if doc.Parse(raw, strictjson.Grammar{MaxBytes: 2 * strictjson.MaxRecordBytes, MaxDepth: strictjson.MaxDepth}) != nil {
		// The line was made or accepted here.
		panic("a pending transaction is no record")
	}
	root := doc.Root()
	t.appendTime, _ = root.Get("append_time").Int()
	t.committedAt, _ = root.Get("committed_at").Int()
	t.leaf, _ = root.Get("leaf").Int()
	text, _ := root.Get("observation_id").PlainText()
	decodeHex(t.id[:], text)
	t.source, _ = root.Get("source_id").Text()
	for element := range root.Get("relations").Each {
		t.relations = append(t.relations, line.ReadRelation(element))
	}
	seen := map[[32]byte]bool{}
	for element := range root.Get("token_hashes").Each {
		if token := digestOf(element); !seen[token] {
			seen[token] = true
			t.tokens = append(t.tokens, token)
		}
	}
	return t
}

// Cut judges what is pending up to a cut, in leaf order.
func (l *Ledger) Cut(appendTime int64, yield func(Verdict)) {
	var doc strictjson.Doc
	kept := l.Pending[:0]
	for _, raw := range l.Pending {
		t := readPending(&doc, raw)
		if t.appendTime > appendTime {
			kept = append(kept, raw)
			continue
		}
		l.pendBytes -= int64(len(raw)) + 1
		yield(l.judge(&t))
	}
	clear(l.Pending[len(kept):])
	l.Pending = kept
}

func (l *Ledger) judge(t *transaction) Verdict {
	if len(t.tokens) == 0 {
		return t.verdict("unattributed", "no_token", nil, nil)
	}
	grants := make([]*Grant, len(t.tokens))
	for i, token := range t.tokens {
		if grants[i] = l.Grants[token]; grants[i] == nil {
			return t.verdict("claimed_unproved", "token_unknown", nil, &t.tokens[i])
		}
	}
	for _, grant := range grants {
		if grant.Used && grant.UsedBy != t.id {
			return t.verdict("reused", "token_used", grants[0], &t.tokens[0])
		}
	}
	status, reason := "matched", "token_and_effect"
	if excess := t.excess(grants); excess != "" {
		status, reason = "exceeded", excess
	}
	for _, grant := range grants {
		l.use(grant, t.id)
	}
	return t.verdict(status, reason, grants[0], &t.tokens[0])
}

// excess is the first way in which the transaction went beyond its grants.
func (t *transaction) excess(grants []*Grant) string {
	var rows, rowsMax int64
	for _, grant := range grants {
		if grant.Source != t.source {
			return "source"
		}
		rowsMax = saturate(rowsMax, grant.RowsMax)
	}
	for _, relation := range t.relations {
		if !anyGrant(grants, relation.FullName(), "") {
			return "relation"
		}
	}
	for _, relation := range t.relations {
		for _, operation := range relation.Operations() {
			if !anyGrant(grants, relation.FullName(), operation) {
				return "operation"
			}
		}
		rows = saturate(rows, saturate(relation.Inserts, saturate(relation.Updates, relation.Deletes)))
	}
	if rows > rowsMax {
		return "rows"
	}
	for _, grant := range grants {
		if t.committedAt < grant.NotBefore-graceMS || t.committedAt > grant.ExpiresAt+graceMS {
			return "time"
		}
	}
	return ""
}

// saturate adds counts, each at most 2^53−1, without ever wrapping around.
func saturate(a, b int64) int64 {
	const most = 1 << 62
	if a > most-b {
		return most
	}
	return a + b
}

// anyGrant says whether one grant lists the relation, and the operation too when one is given.
func anyGrant(grants []*Grant, relation, operation string) bool {
	for _, grant := range grants {
		if grant.Relations.Has(relation) && (operation == "" || grant.Operations.Has(operation)) {
			return true
		}
	}
	return false
}

func (t *transaction) verdict(status, reason string, grant *Grant, token *[32]byte) Verdict {
	var w writer
	w.begin()
	if grant != nil {
		w.text("event_id", grant.EventID)
	} else {
		w.raw("event_id", "null")
	}
	w.text("kind", "matched")
	w.number("leaf", t.leaf)
	w.hex("observation_id", t.id[:])
	w.text("reason", reason)
	if grant != nil {
		w.hex("receipt_id", grant.ReceiptID[:])
	} else {
		w.raw("receipt_id", "null")
	}
	w.text("status", status)
	if token != nil {
		w.hex("token_hash", token[:])
	} else {
		w.raw("token_hash", "null")
	}
	w.number("v", 0)
	w.close()
	return Verdict{t.leaf, status, reason, w.line}
}
