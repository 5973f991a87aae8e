// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/hex"
	"slices"

	"clyra.dev/verifiers/go/internal/ledger"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// judgeMembers is E13: what the manifest repeats must be what the files say.
func (j *journal) judgeMembers() {
	root := j.v.man.Doc.Root()
	var w writer
	check := func(name string, fill func()) {
		w = writer{first: true}
		fill()
		_, value, _ := bytes.Cut(w.bytes, []byte{':'})
		if !bytes.Equal(value, root.Get(name).Raw()) {
			j.memberFault(name)
		}
	}
	check("profiles", func() { w.raw("profiles", texts(j.profiles())) })
	if j.lastWasCut {
		check("cut", func() { j.writeCut(&w) })
	}
	check("documents", func() {
		w.object("documents", func() {
			w.number("held", j.documentHits[1])
			w.number("named", j.documentHits[0])
		})
	})
	check("policies", func() { w.raw("policies", texts(hexes(j.policies))) })
	if j.lastWasCut {
		check("engine", func() { w.number("engine", j.cut.engine) })
	}
	check("trust_root", func() { w.hex("trust_root", j.v.ledger.TrustRoot[:]) })
	check("runs", func() { j.writeRuns(&w) })
	check("decisions", func() {
		w.object("decisions", func() {
			for _, decision := range []string{"allow", "block", "hold", "recorded"} {
				w.number(decision, j.decisions[decision])
			}
		})
	})
	check("coverage", func() { j.writeCoverage(&w) })
	check("gaps", func() { j.writeGaps(&w) })
	check("outages", func() { j.writeOutages(&w) })
	check("governance", func() { j.writeGovernance(&w) })
	check("performance", func() { j.writePerformance(&w) })
	check("cost", func() { j.writeCost(&w) })
	check("security", func() { j.writeSecurity(&w) })
	j.judgeArtifactNames()
	j.judgeTotals(root)
	j.judgeSeparation()
}

func (j *journal) memberFault(name string) {
	j.v.rep.Fail(report.Integrity, "CLY_BUNDLE_MANIFEST_MEMBER", report.In("manifest.json", name))
}

func hexes(digests [][32]byte) []string {
	list := make([]string, len(digests))
	for i, digest := range digests {
		list[i] = hex.EncodeToString(digest[:])
	}
	return list
}

func (j *journal) profiles() []string {
	profiles := []string{}
	if len(j.v.ledger.Sources) > 0 {
		profiles = append(profiles, "def/v0")
	}
	if j.metrics.requests > 0 {
		profiles = append(profiles, "pef/v0")
	}
	return profiles
}

func (j *journal) writeCut(w *writer) {
	w.object("cut", func() {
		w.text("kind", j.cut.kind)
		w.number("offset", j.cut.offset)
		w.number("partition", j.cut.partition)
		w.text("receipt_id", j.cut.receipt)
		w.text("state_digest", j.cut.state)
	})
}

// judgeArtifactNames asks of each artifact what names it.
func (j *journal) judgeArtifactNames() {
	man := j.v.man
	inForce := map[[32]byte]bool{}
	for _, digest := range j.policies {
		inForce[digest] = true
	}
	for _, artifact := range man.Artifacts {
		size, document := j.named[artifact.Digest]
		named := true
		switch artifact.Kind {
		case "document":
			_, sound := j.v.sound[artifact.Digest]
			named = document && size == artifact.Size || !sound
		case "policy":
			named = inForce[artifact.Digest]
		case "ledger":
			named = artifact.Digest == man.ClosingLedger || man.Start > 0 && artifact.Digest == man.OpeningLedger
		}
		if !named {
			j.v.rep.Fail(report.Integrity, "CLY_BUNDLE_ARTIFACT_UNNAMED", report.In(artifact.Name(), ""))
		}
	}
}

func (j *journal) writeRuns(w *writer) {
	open := make([]string, 0, len(j.v.ledger.Runs))
	for id := range j.v.ledger.Runs {
		open = append(open, id)
	}
	slices.SortFunc(open, strictjson.CompareText)
	w.object("runs", func() {
		w.list("closed", len(j.runsClosed), func(i int) {
			w.number("count", j.runsClosed[i].count)
			w.text("run_id", j.runsClosed[i].id)
		})
		w.raw("open", texts(open))
	})
}

const maxUncovered = 256

// guardedSources is the sources with at least one guarded relation, ascending.
func (j *journal) guardedSources() []string {
	ids := make([]string, 0, len(j.v.ledger.Guarded))
	for id, names := range j.v.ledger.Guarded {
		if len(names) > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, strictjson.CompareText)
	return ids
}

// uncovered is the guarded relations of a source that its coverage does not list, ascending.
func uncovered(led *ledger.Ledger, id string) []string {
	list := []string{}
	source := led.Sources[id]
	if source != nil && source.HasCoverage && source.CoverageScope == "all" {
		return list
	}
	for relation := range led.Guarded[id] {
		if source != nil && source.HasCoverage {
			if _, covered := source.Covered[relation]; covered {
				continue
			}
		}
		list = append(list, relation)
	}
	slices.SortFunc(list, strictjson.CompareText)
	return list
}

func (j *journal) writeCoverage(w *writer) {
	led := j.v.ledger
	ids := j.guardedSources()
	w.list("coverage", len(ids), func(i int) {
		id := ids[i]
		source := led.Sources[id]
		if source == nil {
			source = &ledger.Source{}
		}
		blind := source.SortedBlind()
		w.list("blind_spots", len(blind), func(k int) {
			w.text("code", blind[k].Code)
			w.textOrNull("relation", blind[k].Relation, blind[k].HasRelation)
		})
		w.number("gaps", j.gapsBySource[id])
		w.number("guarded", int64(len(led.Guarded[id])))
		w.textOrNull("lsn", source.CoverageLSN, source.HasCoverage)
		w.textOrNull("observation_id", hex.EncodeToString(source.CoverageID[:]), source.HasCoverage)
		w.textOrNull("scope", source.CoverageScope, source.HasCoverage)
		w.text("source_id", id)
		list := uncovered(led, id)
		w.raw("uncovered", texts(list[:min(len(list), maxUncovered)]))
	})
}

func (j *journal) writeGaps(w *writer) {
	w.list("gaps", len(j.gaps), func(i int) {
		w.text("from_lsn", j.gaps[i].from)
		w.text("reason", j.gaps[i].reason)
		w.text("source_id", j.gaps[i].source)
		w.text("to_lsn", j.gaps[i].to)
	})
}

func (j *journal) writeOutages(w *writer) {
	w.list("outages", len(j.outages), func(i int) {
		o := j.outages[i]
		w.text("cause", o.cause)
		w.number("changes_refused", o.not)
		w.text("component", o.component)
		w.number("detected_at", o.detectedAt)
		w.number("failed_at", o.failedAt)
		w.number("restored_at", o.restoredAt)
		w.text("source_id", o.source)
	})
}

// judgeTotals compares the reconciliation's totals, and says what keeps the claim from passing.
func (j *journal) judgeTotals(root strictjson.Value) {
	rep, m := j.v.rep, &j.metrics
	state := j.state()
	var w writer
	w.first = true
	j.writeTotals(&w, state)
	_, value, _ := bytes.Cut(w.bytes, []byte{':'})
	if !bytes.Equal(value, root.Get("reconciliation").Raw()) {
		rep.Fail(report.Reconciliation, "CLY_RECONCILE_TOTAL", report.In("manifest.json", "reconciliation"))
	}
	if m.unjudged > 0 || m.forgotten > 0 {
		rep.Note(report.Reconciliation, report.Partial, "CLY_RECONCILE_UNJUDGED", nil)
	}
	if state == "provisional" {
		rep.Note(report.Reconciliation, report.Partial, "CLY_RECONCILE_PROVISIONAL", nil)
	}
}

// horizon is the least moment up to which all guarded and known sources have shown everything.
func (j *journal) horizon() (at int64, any bool) {
	for _, id := range j.guardedSources() {
		source := j.v.ledger.Sources[id]
		if source == nil {
			continue
		}
		if covers := source.CoversUntil; !any || covers < at {
			at = covers
		}
		any = true
	}
	return at, any
}

func (j *journal) state() string {
	horizon, any := j.horizon()
	led := j.v.ledger
	if j.metrics.unobserved == 0 && (!led.HasOutcome || !any || horizon >= led.LastOutcomeAt) {
		return "final"
	}
	return "provisional"
}

func (j *journal) writeTotals(w *writer, state string) {
	led, m := j.v.ledger, &j.metrics
	ids := []string{}
	for id, source := range led.Sources {
		if source.HasWatermark {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, strictjson.CompareText)
	w.object("reconciliation", func() {
		w.number("claimed_unproved", m.statuses["claimed_unproved"])
		w.number("exceeded", m.statuses["exceeded"])
		w.number("grants_forgotten", m.forgotten)
		w.number("grants_unused", led.UnusedGrants())
		w.number("guarded", m.judged)
		horizon, any := j.horizon()
		if any {
			w.number("horizon", horizon)
		} else {
			w.raw("horizon", "null")
		}
		w.number("matched", m.statuses["matched"])
		w.number("observations", m.transactions)
		w.number("pending", int64(len(led.Pending)))
		w.number("reused", m.statuses["reused"])
		w.list("sources", len(ids), func(i int) {
			source := led.Sources[ids[i]]
			w.number("covers_until", source.CoversUntil)
			w.text("lsn", source.WatermarkLSN)
			w.text("source_id", ids[i])
		})
		w.text("state", state)
		w.number("unattributed", m.statuses["unattributed"])
		w.number("unjudged", m.unjudged)
		w.number("unobserved", m.unobserved)
	})
}

func (j *journal) judgeSeparation() {
	if j.v.man.Separation == "none" {
		return
	}
	for i := range j.signers {
		for other := i + 1; other < len(j.signers); other++ {
			for id := range j.signers[i] {
				if j.signers[other][id] {
					j.v.rep.Fail(report.Authorship, "CLY_SEPARATION_KEYS", report.In("manifest.json", "separation"))
					return
				}
			}
		}
	}
}
