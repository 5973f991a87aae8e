// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto/sha256"
	"strconv"

	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/report"
)

// takeObserved judges an observed line.
func (j *journal) takeObserved() {
	l, led := &j.line, j.v.ledger
	o := &l.Observation
	j.judgeObservation()
	if led.Repeated(o) {
		j.fail(report.Order, "CLY_ORDER_REPEATED", "observation.body.observation_id")
	}
	if o.Name == "watermark" {
		j.derived.takeWatermark(j)
	} else {
		j.derived.interrupt(j)
	}
	j.count()
	if o.Name == "transaction" && led.AddPending(o, j.leafIndex(), l.AppendTime) {
		j.metrics.unjudged++
	}
	if !led.Observe(o) {
		j.fail(report.Integrity, "CLY_LEDGER_LIMIT", "observation.body.source_id")
	}
}

// judgeObservation is what can be said of the line alone: bindings and signature.
func (j *journal) judgeObservation() {
	o := &j.line.Observation
	if id, derived := observationID(o, &j.scratch); derived && id != o.ID {
		j.fail(report.Integrity, "CLY_LINE_BINDING", "observation.body.observation_id")
	}
	if !o.Tenant.TextIs(j.v.man.Tenant) {
		j.fail(report.Integrity, "CLY_LINE_TENANT", "observation.body.tenant")
	}
	j.judgeObservationSignature()
}

// leafIndex is the index of the line in the log.
func (j *journal) leafIndex() int64 { return j.v.man.Start + j.number - 1 }

// observationID is the id that follows from the body, where one does. The scratch buffer grows as needed.
func observationID(o *line.Observation, scratch *[]byte) (id [16]byte, derived bool) {
	text := (*scratch)[:0]
	switch o.Name {
	case "transaction", "watermark":
		ordinal := int64(0)
		if o.Name == "watermark" {
			ordinal = o.CoversUntil
		}
		text = append(append(text, o.System...), '\n')
		text = append(strconv.AppendInt(text, o.Timeline, 10), '\n')
		text = append(append(text, o.LSN...), '\n')
		text = strconv.AppendInt(text, ordinal, 10)
		*scratch = text
	case "coverage", "outage", "accessed", "document":
		text = withoutID(o)
	default:
		return id, false
	}
	digest := sha256.Sum256(text)
	return [16]byte(digest[:16]), true
}

// withoutID is the body without its member observation_id, still canonical.
func withoutID(o *line.Observation) []byte {
	body := o.Value.Raw()
	id := o.Value.Get("observation_id")
	start := id.Start() - o.Value.Start() - len(`"observation_id":`)
	end := id.Start() - o.Value.Start() + len(id.Raw())
	switch {
	case body[start-1] == ',':
		start--
	case body[end] == ',':
		end++
	}
	return append(bytes.Clone(body[:start]), body[end:]...)
}
