// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"clyra.dev/verifiers/go/internal/shape"
)

func m(name string, rule shape.Rule) shape.Member { return shape.Member{Name: name, Rule: rule} }

func counts(names ...string) shape.Rule {
	members := make([]shape.Member, len(names))
	for i, name := range names {
		members[i] = m(name, shape.Count)
	}
	return shape.Object(members...)
}

const (
	maxArtifacts = 4_096
	maxSegments  = 8_192
	maxPolicies  = 4_096
	maxOpenRuns  = 65_536
	maxListed    = 1_024
	maxUncovered = 256
	maxBlind     = 64
	maxPairs     = 256
	maxProfiles  = 16
	maxFrontier  = 53
	noLimit      = 1 << 20
)

var (
	rangeRule    = counts("end", "start")
	frontierRule = shape.List(maxFrontier, shape.Digest)
	gapRule      = shape.Object(m("from_lsn", shape.Text), m("reason", shape.Text), m("source_id", shape.Text), m("to_lsn", shape.Text))
	blindRule    = shape.Object(m("code", shape.Text), m("relation", shape.OrNull(shape.Text)))
	latencyRule  = counts("count", "max_ms", "sum_ms")
	cutRule      = shape.Object(m("kind", shape.Text), m("offset", shape.Count), m("partition", shape.Count),
		m("receipt_id", shape.HalfDigest), m("state_digest", shape.Digest))
	journalRule = shape.Object(m("lines", shape.Count), m("segment_lines", shape.Count),
		m("segments", shape.List(maxSegments, shape.Digest)), m("sha256", shape.Digest), m("size", shape.Count))
	artifactsRule = shape.List(maxArtifacts, shape.Object(
		m("kind", shape.OneOf("policy", "state", "ledger", "document")), m("sha256", shape.Digest), m("size", shape.Count)))
	separationRule = shape.OneOf("none", "processes", "operators")
	producerRule   = shape.Object(m("name", shape.Text), m("version", shape.Text))
	coverageRule   = shape.List(maxListed, shape.Object(
		m("blind_spots", shape.List(maxBlind, blindRule)), m("gaps", shape.Count), m("guarded", shape.Count),
		m("lsn", shape.OrNull(shape.Text)), m("observation_id", shape.OrNull(shape.HalfDigest)),
		m("scope", shape.OrNull(shape.Text)), m("source_id", shape.Text),
		m("uncovered", shape.List(maxUncovered, shape.Text))))
	outagesRule = shape.List(maxListed, shape.Object(
		m("cause", shape.Text), m("changes_refused", shape.Count), m("component", shape.Text), m("detected_at", shape.Count),
		m("failed_at", shape.Count), m("restored_at", shape.Count), m("source_id", shape.Text)))
	reconciliationRule = shape.Object(
		m("claimed_unproved", shape.Count), m("exceeded", shape.Count), m("grants_forgotten", shape.Count),
		m("grants_unused", shape.Count), m("guarded", shape.Count), m("horizon", shape.OrNull(shape.Count)),
		m("matched", shape.Count), m("observations", shape.Count), m("pending", shape.Count), m("reused", shape.Count),
		m("sources", shape.List(maxListed, shape.Object(
			m("covers_until", shape.Count), m("lsn", shape.Text), m("source_id", shape.Text)))),
		m("state", shape.OneOf("final", "provisional")), m("unattributed", shape.Count), m("unjudged", shape.Count),
		m("unobserved", shape.Count))
	governanceRule = shape.Object(
		m("accuracy", counts("content_refused", "schema_invalid", "schema_not_checked", "schema_not_required", "schema_valid")),
		m("oversight", counts("approvals_granted", "approvals_revoked", "changes_resolved", "emergencies_reviewed",
			"engines_activated", "held", "kill_switches_engaged", "kill_switches_lifted", "policies_activated",
			"reviewed_only", "superseding")),
		m("reliability", counts("changes_refused", "gaps", "outage_ms", "outages", "outcomes_done", "outcomes_failed",
			"outcomes_other", "outcomes_returned")),
		m("transparency", counts("accesses", "refused", "refused_unexplained", "requests", "requests_in_runs")))
	performanceRule = shape.Object(
		m("commit_to_log", latencyRule), m("decided_per_second_max", shape.Count), m("intake_to_log", latencyRule),
		m("span_ms", shape.Count))
	securityRule = shape.Object(
		m("reasons", shape.List(maxPairs, shape.Object(m("code", shape.Text), m("count", shape.Count), m("effect", shape.Text)))),
		m("reasons_other", shape.Count),
		m("threats", shape.List(maxPairs, shape.Object(m("count", shape.Count), m("threat_class", shape.Text)))),
		m("threats_other", shape.Count))
)

var bundleRule = shape.Object(
	m("artifacts", artifactsRule),
	m("bundle_log", shape.Object(m("frontier", frontierRule), m("number", shape.Count))),
	m("closing_ledger", shape.Digest),
	m("cost", counts("payload_bytes", "payload_bytes_allowed", "rows_written", "transactions")),
	m("coverage", coverageRule),
	m("cut", cutRule),
	m("decisions", counts("allow", "block", "hold", "recorded")),
	m("documents", counts("held", "named")),
	m("engine", shape.Count),
	m("format", shape.OneOf("clyra/bundle/v0")),
	m("frontier", frontierRule),
	m("gaps", shape.List(maxListed, gapRule)),
	m("governance", governanceRule),
	m("journal", journalRule),
	m("opening_ledger", shape.OrNull(shape.Digest)),
	m("opening_state", shape.OrNull(shape.Digest)),
	m("origin", shape.Text),
	m("outages", outagesRule),
	m("performance", performanceRule),
	m("policies", shape.List(maxPolicies, shape.Digest)),
	m("previous_manifest", shape.OrNull(shape.Digest)),
	m("producer", producerRule),
	m("profiles", shape.List(maxProfiles, shape.Text)),
	m("range", rangeRule),
	m("reconciliation", reconciliationRule),
	m("root", shape.Digest),
	m("runs", shape.Object(
		m("closed", shape.List(noLimit, shape.Object(m("count", shape.Count), m("run_id", shape.Text)))),
		m("open", shape.List(maxOpenRuns, shape.Text)))),
	m("security", securityRule),
	m("separation", separationRule),
	m("stream_id", shape.HalfDigest),
	m("tenant", shape.Text),
	m("trust_root", shape.Digest),
)

var exportRule = shape.Object(
	m("artifacts", artifactsRule),
	m("cut", cutRule),
	m("export", shape.Object(m("of", shape.Digest), m("scope", scopeRule))),
	m("format", shape.OneOf("clyra/export/v0")),
	m("frontier", frontierRule),
	m("journal", journalRule),
	m("origin", shape.Text),
	m("producer", producerRule),
	m("range", rangeRule),
	m("root", shape.Digest),
	m("separation", separationRule),
	m("stream_id", shape.HalfDigest),
	m("tenant", shape.Text),
	m("trust_root", shape.Digest),
)
