// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"slices"

	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// latency is how long something took, over many lines.
type latency struct{ count, most, sum int64 }

func (l *latency) add(ms int64) {
	ms = max(ms, 0)
	l.count++
	l.most = max(l.most, ms)
	l.sum = stop(l.sum, ms)
}

// stop adds, and stays at 2^53−1.
func stop(sum, more int64) int64 { return min(sum+more, strictjson.MaxInteger) }

// pair is a counted pair of texts, such as reason code and effect.
type pair struct{ first, second string }

// pairs counts the first 256 different ones apart.
type pairs struct {
	counts map[pair]int64
	other  int64
}

const maxPairs = 256

func (p *pairs) add(key pair) {
	if p.counts == nil {
		p.counts = map[pair]int64{}
	}
	if _, known := p.counts[key]; !known && len(p.counts) >= maxPairs {
		p.other = stop(p.other, 1)
		return
	}
	p.counts[key] = stop(p.counts[key], 1)
}

func (p *pairs) sorted() []pair {
	keys := make([]pair, 0, len(p.counts))
	for key := range p.counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b pair) int {
		if c := strictjson.CompareText(a.first, b.first); c != 0 {
			return c
		}
		return strictjson.CompareText(a.second, b.second)
	})
	return keys
}

// metrics is what docs/spec/bundle.md §3.1 counts, and the totals of the reconciliation.
type metrics struct {
	outcomes                                         map[string]int64
	outageLines, gapLines, outageMS, changesRefused  int64
	requests, inRuns, refused, unexplained, accesses int64
	verdicts                                         map[string]int64
	contentRefused                                   int64
	held, superseding, reviewedOnly                  int64
	allowed                                          map[string]int64
	intakeToLog, commitToLog                         latency
	payload, payloadAllowed, transactions, rows      int64
	reasons, threats                                 pairs
	judged, unjudged, forgotten, unobserved          int64
	statuses                                         map[string]int64
	firstDecidedAt, lastDecidedAt                    int64
	secondNow, inSecond, perSecond                   int64
	anyDecided                                       bool
}

var countedKinds = []string{
	"approval.granted", "approval.revoked", "emergency.reviewed", "kill_switch.engaged", "kill_switch.lifted", "policy.activated",
	"engine.activated", "change.resolved",
}

// count takes the line into the metrics.
func (j *journal) count() {
	m := &j.metrics
	if m.outcomes == nil {
		m.outcomes, m.verdicts, m.allowed, m.statuses = map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	}
	if j.line.Kind == line.Decided {
		j.countDecided()
	} else {
		j.countObserved()
	}
}

func (j *journal) countDecided() {
	m, l := &j.metrics, &j.line
	r := &l.Receipt
	if !m.anyDecided {
		m.anyDecided, m.firstDecidedAt = true, r.DecidedAt
	}
	m.lastDecidedAt = r.DecidedAt
	if second := r.DecidedAt / 1000; second != m.secondNow || m.inSecond == 0 {
		m.secondNow, m.inSecond = second, 0
	}
	m.inSecond++
	m.perSecond = max(m.perSecond, m.inSecond)
	if at, ok := l.Change.IntakeAt.Int(); ok && at >= 0 {
		m.intakeToLog.add(l.AppendTime - at)
	}
	j.countDocuments(l.Change.Documents)
	if r.Recorded {
		j.decisions["recorded"]++
		if r.ChangeKind.TextIs("change.outcome") {
			effect, _ := r.Effect.Text()
			switch effect {
			case "done", "failed", "returned":
			default:
				effect = "other"
			}
			m.outcomes[effect]++
		}
		return
	}
	j.decisions[r.Decision]++
	j.countDecision()
	if r.ChangeKind.TextIs("change.requested") {
		j.countRequest()
	}
}

func (j *journal) countDecision() {
	m, r := &j.metrics, &j.line.Receipt
	list := r.Reasons.Kind() == strictjson.Array
	if r.Decision != "allow" {
		m.refused++
		if !list || r.Reasons.Len() == 0 {
			m.unexplained++
		}
	} else {
		for _, kind := range countedKinds {
			if r.ChangeKind.TextIs(kind) {
				m.allowed[kind]++
			}
		}
	}
	if !list {
		return
	}
	for reason := range r.Reasons.Each {
		code, okCode := reason.Get("code").Text()
		effect, okEffect := reason.Get("effect").Text()
		if okCode && okEffect {
			m.reasons.add(pair{code, effect})
		}
		if threat, ok := reason.Get("threat_class").Text(); ok {
			m.threats.add(pair{first: threat})
		}
	}
}

func (j *journal) countRequest() {
	m, r := &j.metrics, &j.line.Receipt
	facts := j.line.Change.Facts
	m.requests++
	if r.InRun {
		m.inRuns++
	}
	if r.Decision == "hold" {
		m.held++
	}
	if r.HasSuperseds {
		m.superseding++
	}
	if r.Mode.TextIs("review") {
		m.reviewedOnly++
	}
	if verdict, ok := facts.Get("schema").Get("verdict").Text(); ok {
		switch verdict {
		case "valid", "invalid", "not_required", "not_checked":
			m.verdicts[verdict]++
		}
	}
	if content, ok := facts.Get("content").Text(); ok && content != "ok" {
		m.contentRefused++
	}
	if size, ok := facts.Get("payload_size").Int(); ok && size >= 0 {
		m.payload = stop(m.payload, size)
		if r.Decision == "allow" {
			m.payloadAllowed = stop(m.payloadAllowed, size)
		}
	}
}

func (j *journal) countObserved() {
	m, o := &j.metrics, &j.line.Observation
	switch o.Name {
	case "transaction":
		m.transactions++
		m.commitToLog.add(j.line.AppendTime - o.CommittedAt)
		m.rows = stop(m.rows, o.Rows)
	case "gap":
		m.gapLines++
		if len(j.gapsBySource) < maxListed || j.gapsBySource[o.Source] > 0 {
			j.gapsBySource[o.Source]++
		}
		if len(j.gaps) < maxListed {
			j.gaps = append(j.gaps, gapFact{o.Source, o.LSN, o.To, o.Reason})
		}
	case "outage":
		m.outageLines++
		m.outageMS = stop(m.outageMS, max(0, o.RestoredAt-o.FailedAt))
		m.changesRefused = stop(m.changesRefused, o.Refused)
		if len(j.outages) < maxListed {
			j.outages = append(j.outages, outageFact{o.Source, o.Component, o.Cause, o.FailedAt, o.DetectedAt, o.RestoredAt, o.Refused})
		}
	case "accessed":
		m.accesses++
	case "document":
		j.countDocument(o.DocumentHash, o.DocumentSize)
	}
}

const maxListed = 1_024

// countDocuments counts what a change body names.
func (j *journal) countDocuments(list strictjson.Value) {
	if list.Kind() != strictjson.Array {
		return
	}
	for entry := range list.Each {
		digest, ok := digestMember(entry, "sha256")
		size, sized := entry.Get("size").Int()
		if _, named := entry.Get("document").Text(); ok && sized && named && size >= 0 {
			j.countDocument(digest, size)
		}
	}
}

func (j *journal) countDocument(digest [32]byte, size int64) {
	j.documentHits[0]++
	if artifact, held := j.v.sound[digest]; held && artifact.Kind == "document" && artifact.Size == size {
		j.documentHits[1]++
		j.named[digest] = size
	}
}
