// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// PutPolicy puts a policy in force.
func (l *Ledger) PutPolicy(digest [32]byte, guarded Relations) {
	l.HasPolicy, l.Policy, l.Guarded = true, digest, guarded
	for source, names := range guarded {
		for name := range names {
			l.Since.add(source, name)
		}
	}
}

// Add puts one relation among the guarded ones.
func (r Relations) Add(source, relation string) { r.add(source, relation) }

// source finds a source, making it where it is unknown; nil beyond the limit.
func (l *Ledger) source(id string) *Source {
	if found := l.Sources[id]; found != nil {
		return found
	}
	if len(l.Sources) >= maxSources {
		return nil
	}
	made := &Source{Covered: map[string]struct{}{}}
	l.Sources[id] = made
	return made
}

// Register marks a source as registered; false beyond the limit.
func (l *Ledger) Register(id string) bool {
	source := l.source(id)
	if source == nil {
		return false
	}
	source.Registered = true
	return true
}

// SetRun keeps the head of an open run; false beyond the limit.
func (l *Ledger) SetRun(id string, run Run) bool {
	if _, open := l.Runs[id]; !open && len(l.Runs) >= maxRuns {
		return false
	}
	l.Runs[id] = run
	return true
}

// Delegate keeps an allowed key.delegated; false beyond the limit.
func (l *Ledger) Delegate(d Delegation) bool {
	if len(l.Delegations) >= maxDelegations {
		return false
	}
	l.Delegations = append(l.Delegations, d)
	return true
}

// AddGrants takes the grants of an allowed request: how many were forgotten, and of how many the effect is not seen.
func (l *Ledger) AddGrants(r *line.Receipt) (forgotten, unobserved int64) {
	var w writer
	for element := range r.Grants.Each {
		expiresAt, rowsMax, operations, relations, source, token := line.GrantFields(element)
		id, _ := source.Text()
		if known := l.Sources[id]; known != nil && !known.HasCoverage && len(l.Guarded[id]) > 0 {
			unobserved++
		}
		hash := digestOf(token)
		if l.Grants[hash] != nil {
			continue
		}
		event, _ := r.EventID.Text()
		grant := &Grant{
			EventID: event, Source: id, RowsMax: rowsMax, NotBefore: r.DecidedAt, ExpiresAt: expiresAt,
			ReceiptID: r.ReceiptID, Operations: l.texts(operations), Relations: l.texts(relations),
		}
		w.line = w.line[:0]
		w.grant(hash, grant)
		size := int64(len(w.line)) + 1
		if l.grantBytes+size > maxGrantBytes {
			forgotten++
			continue
		}
		l.grantBytes += size
		l.Grants[hash] = grant
	}
	return forgotten, unobserved
}

func digestOf(v strictjson.Value) (hash [32]byte) {
	text, _ := v.PlainText()
	decodeHex(hash[:], text)
	return hash
}

// Repeated says whether the observation repeats an earlier one.
func (l *Ledger) Repeated(o *line.Observation) bool {
	switch o.Name {
	case "watermark":
		return false
	case "transaction":
		source := l.Sources[o.Source]
		if source == nil || !source.HasNewest || source.Newest.System != o.System || source.Newest.Timeline != o.Timeline {
			return false
		}
		newest, _ := line.ParsePosition(source.Newest.LSN)
		return o.Position <= newest
	}
	id, seen := l.Seen[SeenKey{o.Source, o.Name}]
	return seen && id == o.ID
}

// Observe notes what an observation changes beside pending transactions; false beyond a limit.
func (l *Ledger) Observe(o *line.Observation) bool {
	switch o.Name {
	case "transaction":
		source := l.source(o.Source)
		if source == nil {
			return false
		}
		source.HasNewest, source.Newest = true, Place{o.System, o.Timeline, o.LSN}
		return true
	case "watermark":
		source := l.source(o.Source)
		if source == nil {
			return false
		}
		source.HasWatermark, source.CoversUntil, source.WatermarkLSN = true, o.CoversUntil, o.LSN
		return true
	case "gap":
		if l.source(o.Source) == nil {
			return false
		}
	case "coverage":
		if !l.observeCoverage(o) {
			return false
		}
	}
	key := SeenKey{o.Source, o.Name}
	if _, known := l.Seen[key]; !known && len(l.Seen) >= maxSeen {
		return false
	}
	l.Seen[key] = o.ID
	return true
}

func (l *Ledger) observeCoverage(o *line.Observation) bool {
	source := l.source(o.Source)
	if source == nil {
		return false
	}
	covered := map[string]struct{}{}
	for element := range o.Relations.Each {
		name, _ := element.Text()
		covered[name] = struct{}{}
	}
	if l.covered-len(source.Covered)+len(covered) > maxCovered {
		return false
	}
	l.covered += len(covered) - len(source.Covered)
	source.HasCoverage, source.CoverageID, source.CoverageScope, source.CoverageLSN = true, o.ID, o.Scope, o.LSN
	source.Covered, source.Blind = covered, nil
	for element := range o.Blind.Each {
		spot := Blind{}
		spot.Code, _ = element.Get("code").Text()
		spot.Relation, spot.HasRelation = element.Get("relation").Text()
		source.Blind = append(source.Blind, spot)
	}
	return true
}

// AddPending keeps a transaction that touches something guarded; unjudged says that there was no room for it.
func (l *Ledger) AddPending(o *line.Observation, leaf, appendTime int64) (unjudged bool) {
	guarded := l.Since[o.Source]
	if len(guarded) == 0 {
		return false
	}
	var w writer
	list, any := []byte{'['}, false
	for element := range o.Relations.Each {
		relation := line.ReadRelation(element)
		name := relation.Schema + "." + relation.Name
		if _, touched := guarded[name]; !touched && name != "*.*" {
			continue
		}
		if any {
			list = append(list, ',')
		}
		any = true
		list = appendRelation(list, relation)
	}
	if !any {
		return false
	}
	w.begin()
	w.number("append_time", appendTime)
	w.number("committed_at", o.CommittedAt)
	w.text("kind", "pending")
	w.number("leaf", leaf)
	w.hex("observation_id", o.ID[:])
	w.raw("relations", string(append(list, ']')))
	w.text("source_id", o.Source)
	w.raw("token_hashes", string(o.Tokens.Raw()))
	w.close()
	if l.pendBytes+int64(len(w.line))+1 > maxPendBytes {
		return true
	}
	l.pendBytes += int64(len(w.line)) + 1
	l.Pending = append(l.Pending, append([]byte(nil), w.line...))
	return false
}

func appendRelation(out []byte, r line.Relation) []byte {
	w := writer{line: append(out, '{'), first: true}
	if r.HasDDL {
		w.number("ddl", r.DDL)
	}
	w.number("deletes", r.Deletes)
	w.number("inserts", r.Inserts)
	w.text("name", r.Name)
	w.text("schema", r.Schema)
	w.number("truncates", r.Truncates)
	w.number("updates", r.Updates)
	w.close()
	return w.line
}

const (
	afterHorizonMS = 60_000
	afterExpiryMS  = 86_400_000
)

// EndCut drops what no later line can need.
func (l *Ledger) EndCut(appendTime int64) {
	var w writer
	for token, grant := range l.Grants {
		source := l.Sources[grant.Source]
		seen := source != nil && source.HasWatermark && source.CoversUntil > grant.ExpiresAt+afterHorizonMS
		if !seen && grant.ExpiresAt+afterExpiryMS >= appendTime {
			continue
		}
		w.line = w.line[:0]
		w.grant(token, grant)
		l.grantBytes -= int64(len(w.line)) + 1
		delete(l.Grants, token)
	}
	kept := l.Delegations[:0]
	for _, delegation := range l.Delegations {
		if delegation.ValidTo >= appendTime {
			kept = append(kept, delegation)
		}
	}
	l.Delegations = kept
	l.Since = Relations{}
	for source, names := range l.Guarded {
		for name := range names {
			l.Since.add(source, name)
		}
	}
}

// UnusedGrants is how many grants no observation has used.
func (l *Ledger) UnusedGrants() (n int64) {
	for _, grant := range l.Grants {
		if !grant.Used {
			n++
		}
	}
	return n
}

const usedByGrowth = int64(len(`"00000000000000000000000000000000"`) - len("null"))

func (l *Ledger) use(grant *Grant, by [16]byte) {
	if !grant.Used {
		l.grantBytes += usedByGrowth
	}
	grant.Used, grant.UsedBy = true, by
}
