// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// judgeDisclosures is E19. The journal is read once more: disclosures ascend by leaf, so one pass is enough.
func (v *verifier) judgeDisclosures() error {
	if len(v.disclosures) == 0 {
		v.rep.Note(report.Disclosure, report.Absent, "CLY_DISCLOSURE_ABSENT", nil)
		return nil
	}
	file, err := v.bundle.Open(journalFile)
	if err != nil {
		return err
	}
	defer file.Close()
	index, leaf, next := 0, v.man.Start, line.Line{}
	failed := ""
	for index < len(v.disclosures) && v.disclosures[index].leaf < v.man.Start {
		failed, index = "CLY_DISCLOSURE_LEAF", len(v.disclosures)
	}
	_, err = eachLine(file, strictjson.MaxRecordBytes, func(text []byte) bool {
		if index == len(v.disclosures) || v.disclosures[index].leaf != leaf {
			leaf++
			return index < len(v.disclosures)
		}
		code, _, _ := next.Parse(text)
		if broken := v.journal.brokenAt; broken > 0 && leaf >= v.man.Start+broken-1 {
			// From the first line without grammar or shape on there are no lines.
			code = "CLY_LINE_SHAPE"
		}
		for failed == "" && index < len(v.disclosures) && v.disclosures[index].leaf == leaf {
			if failed = "CLY_DISCLOSURE_LEAF"; code == "" {
				failed = v.disclosures[index].judge(&next)
			}
			index++
		}
		leaf++
		return failed == ""
	})
	if err != nil {
		return err
	}
	if failed == "" && index < len(v.disclosures) {
		failed = "CLY_DISCLOSURE_LEAF"
	}
	if failed != "" {
		v.rep.Fail(report.Disclosure, failed, report.In(v.options.Disclosures, ""))
	}
	return nil
}

func (d disclosure) judge(l *line.Line) string {
	var body strictjson.Value
	switch {
	case d.part == "observation" && l.Kind == line.Observed:
		body = l.Observation.Value
	case d.part == "change" && l.Kind == line.Decided:
		body = l.Change.Value
	case d.part == "receipt" && l.Kind == line.Decided:
		body = l.Receipt.Value
	default:
		return "CLY_DISCLOSURE_LEAF"
	}
	holder, found := at(body, d.pointer)
	if !found || holder.Kind() != strictjson.Object || holder.Len() != 1 || !holder.Get("$commit").Present() {
		return "CLY_DISCLOSURE_POINTER"
	}
	if !d.opens(holder.Get("$commit")) {
		return "CLY_DISCLOSURE_VALUE"
	}
	return ""
}
