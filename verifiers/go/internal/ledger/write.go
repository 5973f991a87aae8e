// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strconv"

	"clyra.dev/verifiers/go/internal/strictjson"
)

// writer makes canonical lines; the caller gives the members in order.
type writer struct {
	line  []byte
	first bool
}

func (w *writer) begin() { w.line, w.first = append(w.line[:0], '{'), true }

func (w *writer) name(name string) {
	if !w.first {
		w.line = append(w.line, ',')
	}
	w.first = false
	w.line = append(append(append(w.line, '"'), name...), '"', ':')
}

func (w *writer) text(name, value string) {
	w.name(name)
	w.line = strictjson.AppendString(w.line, value)
}

func (w *writer) raw(name string, value string) {
	w.name(name)
	w.line = append(w.line, value...)
}

func (w *writer) number(name string, value int64) {
	w.name(name)
	w.line = strconv.AppendInt(w.line, value, 10)
}

func (w *writer) hex(name string, value []byte) {
	w.name(name)
	w.line = append(hex.AppendEncode(append(w.line, '"'), value), '"')
}

func (w *writer) open(name string) {
	w.name(name)
	w.line, w.first = append(w.line, '{'), true
}

func (w *writer) close() { w.line, w.first = append(w.line, '}'), false }

func sortedTexts[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), strictjson.CompareText)
}

// Digest is H of the artifact that holds the ledger; nothing of it is kept in memory but a line.
func (l *Ledger) Digest() [32]byte {
	sum := sha256.New()
	w := &writer{}
	l.writeHead(w, sum)
	l.writeRuns(w, sum)
	writeRelations(w, sum, "guarded", l.Guarded)
	l.writeSources(w, sum)
	l.writeSeen(w, sum)
	for _, delegation := range l.Delegations {
		w.begin()
		w.number("append_time", delegation.AppendTime)
		w.raw("command", string(delegation.Command))
		w.text("kind", "delegation")
		w.raw("signatures", string(delegation.Signatures))
		w.end(sum)
	}
	tokens := slices.SortedFunc(maps.Keys(l.Grants), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	for _, token := range tokens {
		w.grant(token, l.Grants[token])
		w.flush(sum)
	}
	for _, line := range l.Pending {
		sum.Write(line)
		sum.Write([]byte{'\n'})
	}
	return [32]byte(sum.Sum(nil))
}

func (w *writer) end(sum hash.Hash) {
	w.close()
	w.flush(sum)
}

func (w *writer) flush(sum hash.Hash) {
	w.line = append(w.line, '\n')
	sum.Write(w.line)
}

func (l *Ledger) writeHead(w *writer, sum hash.Hash) {
	w.begin()
	w.open("chain")
	w.hex("head", l.Head[:])
	w.number("next_seq", l.NextSeq)
	w.close()
	w.text("kind", "head")
	w.number("last_decided_at", l.LastDecidedAt)
	w.number("last_offset", l.LastOffset)
	if l.HasOutcome {
		w.number("last_outcome_at", l.LastOutcomeAt)
	} else {
		w.raw("last_outcome_at", "null")
	}
	if l.HasPolicy {
		w.hex("policy", l.Policy[:])
	} else {
		w.raw("policy", "null")
	}
	w.hex("trust_root", l.TrustRoot[:])
	w.number("v", 0)
	w.end(sum)
}

func (l *Ledger) writeRuns(w *writer, sum hash.Hash) {
	for _, id := range sortedTexts(l.Runs) {
		run := l.Runs[id]
		w.begin()
		w.hex("head", run.Head[:])
		w.text("kind", "run")
		w.number("next_seq", run.NextSeq)
		w.text("run_id", id)
		w.end(sum)
	}
}

func writeRelations(w *writer, sum hash.Hash, kind string, relations Relations) {
	for _, source := range sortedTexts(relations) {
		for _, relation := range sortedTexts(relations[source]) {
			w.begin()
			w.text("kind", kind)
			w.text("relation", relation)
			w.text("source_id", source)
			w.end(sum)
		}
	}
}

func (l *Ledger) writeSources(w *writer, sum hash.Hash) {
	ids := sortedTexts(l.Sources)
	covered := Relations{}
	for _, id := range ids {
		source := l.Sources[id]
		w.source(id, source)
		w.flush(sum)
		covered[id] = source.Covered
	}
	writeRelations(w, sum, "covered", covered)
	for _, id := range ids {
		for _, blind := range l.Sources[id].SortedBlind() {
			w.begin()
			w.text("code", blind.Code)
			w.text("kind", "blind_spot")
			if blind.HasRelation {
				w.text("relation", blind.Relation)
			} else {
				w.raw("relation", "null")
			}
			w.text("source_id", id)
			w.end(sum)
		}
	}
}

func (w *writer) source(id string, source *Source) {
	w.begin()
	if source.HasCoverage {
		w.open("coverage")
		w.text("lsn", source.CoverageLSN)
		w.hex("observation_id", source.CoverageID[:])
		w.text("scope", source.CoverageScope)
		w.close()
	} else {
		w.raw("coverage", "null")
	}
	w.text("kind", "source")
	if source.HasNewest {
		w.open("newest")
		w.text("lsn", source.Newest.LSN)
		w.text("system_id", source.Newest.System)
		w.number("timeline", source.Newest.Timeline)
		w.close()
	} else {
		w.raw("newest", "null")
	}
	w.raw("registered", strconv.FormatBool(source.Registered))
	w.text("source_id", id)
	if source.HasWatermark {
		w.open("watermark")
		w.number("covers_until", source.CoversUntil)
		w.text("lsn", source.WatermarkLSN)
		w.close()
	} else {
		w.raw("watermark", "null")
	}
	w.close()
}

// SortedBlind is the blind spots ascending by code and relation, those without a relation first.
func (s *Source) SortedBlind() []Blind {
	return slices.SortedFunc(slices.Values(s.Blind), compareBlind)
}

func compareBlind(a, b Blind) int {
	if c := strictjson.CompareText(a.Code, b.Code); c != 0 {
		return c
	}
	if a.HasRelation != b.HasRelation {
		if a.HasRelation {
			return 1
		}
		return -1
	}
	return strictjson.CompareText(a.Relation, b.Relation)
}

func compareSeen(a, b SeenKey) int {
	if c := strictjson.CompareText(a.Source, b.Source); c != 0 {
		return c
	}
	return strictjson.CompareText(a.Of, b.Of)
}

func (l *Ledger) writeSeen(w *writer, sum hash.Hash) {
	for _, key := range slices.SortedFunc(maps.Keys(l.Seen), compareSeen) {
		id := l.Seen[key]
		w.begin()
		w.text("kind", "seen")
		w.hex("observation_id", id[:])
		w.text("of", key.Of)
		w.text("source_id", key.Source)
		w.end(sum)
	}
}

func (w *writer) grant(token [32]byte, grant *Grant) {
	w.begin()
	w.text("event_id", grant.EventID)
	w.number("expires_at", grant.ExpiresAt)
	w.text("kind", "grant")
	w.number("not_before", grant.NotBefore)
	w.raw("operations", grant.Operations.Raw)
	w.hex("receipt_id", grant.ReceiptID[:])
	w.raw("relations", grant.Relations.Raw)
	w.number("rows_max", grant.RowsMax)
	w.text("source_id", grant.Source)
	w.hex("token_hash", token[:])
	if grant.Used {
		w.hex("used_by", grant.UsedBy[:])
	} else {
		w.raw("used_by", "null")
	}
	w.close()
}
