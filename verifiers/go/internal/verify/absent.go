// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"clyra.dev/verifiers/go/internal/ledger"
	"clyra.dev/verifiers/go/internal/report"
)

// judgeAbsent is §3.4 for coverage, and what an export can be at best.
func (v *verifier) judgeAbsent() {
	if v.man.Export {
		for _, claim := range []report.Claim{report.Order, report.Completeness, report.Policy, report.Reconciliation, report.Coverage} {
			v.rep.Note(claim, report.Partial, "CLY_EXPORT_PARTIAL", nil)
		}
		return
	}
	if v.ledger == nil || v.journal.broken {
		return
	}
	v.judgeCoverage()
}

func (v *verifier) judgeCoverage() {
	ids := v.journal.guardedSources()
	if len(ids) == 0 {
		v.rep.Note(report.Coverage, report.Absent, "CLY_COVERAGE_ABSENT", nil)
		return
	}
	for _, id := range ids {
		if v.journal.gapsBySource[id] > 0 {
			v.rep.Fail(report.Coverage, "CLY_COVERAGE_GAP", report.In("manifest.json", "gaps"))
			return
		}
	}
	code := ""
	for _, test := range []struct {
		code string
		is   func(*ledger.Source, string) bool
	}{
		{"CLY_COVERAGE_UNKNOWN", func(s *ledger.Source, _ string) bool { return s == nil || !s.HasCoverage }},
		{"CLY_COVERAGE_UNCOVERED", func(_ *ledger.Source, id string) bool { return len(uncovered(v.ledger, id)) > 0 }},
		{"CLY_COVERAGE_BLIND", v.blindOnGuarded},
	} {
		for _, id := range ids {
			if code == "" && test.is(v.ledger.Sources[id], id) {
				code = test.code
			}
		}
	}
	if code != "" {
		v.rep.Note(report.Coverage, report.Partial, code, report.In("manifest.json", "coverage"))
	}
}

func (v *verifier) blindOnGuarded(source *ledger.Source, id string) bool {
	for _, spot := range source.Blind {
		if spot.HasRelation && v.ledger.Guarded.Has(id, spot.Relation) {
			return true
		}
	}
	return false
}
