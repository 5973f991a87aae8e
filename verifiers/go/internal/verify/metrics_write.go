// SPDX-License-Identifier: Apache-2.0

package verify

func (j *journal) writeGovernance(w *writer) {
	m := &j.metrics
	w.object("governance", func() {
		w.object("accuracy", func() {
			w.number("content_refused", m.contentRefused)
			w.number("schema_invalid", m.verdicts["invalid"])
			w.number("schema_not_checked", m.verdicts["not_checked"])
			w.number("schema_not_required", m.verdicts["not_required"])
			w.number("schema_valid", m.verdicts["valid"])
		})
		w.object("oversight", func() {
			w.number("approvals_granted", m.allowed["approval.granted"])
			w.number("approvals_revoked", m.allowed["approval.revoked"])
			w.number("changes_resolved", m.allowed["change.resolved"])
			w.number("emergencies_reviewed", m.allowed["emergency.reviewed"])
			w.number("engines_activated", m.allowed["engine.activated"])
			w.number("held", m.held)
			w.number("kill_switches_engaged", m.allowed["kill_switch.engaged"])
			w.number("kill_switches_lifted", m.allowed["kill_switch.lifted"])
			w.number("policies_activated", m.allowed["policy.activated"])
			w.number("reviewed_only", m.reviewedOnly)
			w.number("superseding", m.superseding)
		})
		w.object("reliability", func() {
			w.number("changes_refused", m.changesRefused)
			w.number("gaps", m.gapLines)
			w.number("outage_ms", m.outageMS)
			w.number("outages", m.outageLines)
			w.number("outcomes_done", m.outcomes["done"])
			w.number("outcomes_failed", m.outcomes["failed"])
			w.number("outcomes_other", m.outcomes["other"])
			w.number("outcomes_returned", m.outcomes["returned"])
		})
		w.object("transparency", func() {
			w.number("accesses", m.accesses)
			w.number("refused", m.refused)
			w.number("refused_unexplained", m.unexplained)
			w.number("requests", m.requests)
			w.number("requests_in_runs", m.inRuns)
		})
	})
}

func (w *writer) latency(name string, l latency) {
	w.object(name, func() {
		w.number("count", l.count)
		w.number("max_ms", l.most)
		w.number("sum_ms", l.sum)
	})
}

func (j *journal) writePerformance(w *writer) {
	m := &j.metrics
	w.object("performance", func() {
		w.latency("commit_to_log", m.commitToLog)
		w.number("decided_per_second_max", m.perSecond)
		w.latency("intake_to_log", m.intakeToLog)
		w.number("span_ms", m.lastDecidedAt-m.firstDecidedAt)
	})
}

func (j *journal) writeCost(w *writer) {
	m := &j.metrics
	w.object("cost", func() {
		w.number("payload_bytes", m.payload)
		w.number("payload_bytes_allowed", m.payloadAllowed)
		w.number("rows_written", m.rows)
		w.number("transactions", m.transactions)
	})
}

func (j *journal) writeSecurity(w *writer) {
	reasons, threats := j.metrics.reasons.sorted(), j.metrics.threats.sorted()
	w.object("security", func() {
		w.list("reasons", len(reasons), func(i int) {
			w.text("code", reasons[i].first)
			w.number("count", j.metrics.reasons.counts[reasons[i]])
			w.text("effect", reasons[i].second)
		})
		w.number("reasons_other", j.metrics.reasons.other)
		w.list("threats", len(threats), func(i int) {
			w.number("count", j.metrics.threats.counts[threats[i]])
			w.text("threat_class", threats[i].first)
		})
		w.number("threats_other", j.metrics.threats.other)
	})
}
