// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/verify"
)

// Name and version of this verifier, as reports give them.
const (
	verifierName    = "clyra-verify-go"
	verifierVersion = "0.0.0"
)

var verdicts = map[int]string{
	report.ExitValid: "valid", report.ExitInvalid: "invalid", report.ExitMalformed: "malformed",
	report.ExitUnsupported: "unsupported", report.ExitPolicyNotMet: "policy_not_met", report.ExitIO: "io_error",
}

type object = map[string]any

// JSON is the report of docs/spec/verification.md §7.
func JSON(o *verify.Outcome, options verify.Options) []byte {
	failures, total := o.Report.Failures()
	listed := make([]object, 0, len(failures))
	for _, failure := range failures {
		listed = append(listed, object{"claim": failure.Claim.String(), "code": failure.Code, "location": place(failure.Location)})
	}
	claims := []object{}
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		result := o.Report.Of(claim)
		claims = append(claims, object{
			"id": claim.String(), "status": result.Status, "code": orNull(result.Code), "location": place(result.Location),
			"message": message(result),
		})
	}
	required := []string{}
	for _, claim := range o.Policy.Require {
		required = append(required, claim.String())
	}
	text, err := json.Marshal(object{
		"verdict": verdicts[o.Exit()], "exit_code": o.Exit(), "reason": reason(o),
		"verifier": object{"name": verifierName, "version": verifierVersion}, "mode": mode(options),
		"bundle": bundleFacts(o), "trust_root": rootFacts(o), "policy": object{"name": o.Policy.Name, "require": required},
		"claims": claims, "failures": listed, "failures_total": total, "findings": findings(o), "not_proved": notProved(o),
	})
	if err != nil {
		panic("a report of plain values cannot fail to be written: " + err.Error())
	}
	return text
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func mode(options verify.Options) string {
	if options.Head {
		return "head"
	}
	return "full"
}

func place(at *report.Location) any {
	if at == nil {
		return nil
	}
	facts := object{"file": at.File}
	if at.Line > 0 {
		facts["line"] = at.Line
	}
	if at.Byte >= 0 {
		facts["byte"] = at.Byte
	}
	if at.Member != "" {
		facts["member"] = at.Member
	}
	return facts
}

func message(result report.Result) string {
	if result.Status == report.Pass {
		return "holds"
	}
	return result.Code + where(result.Location)
}

func where(at *report.Location) string {
	if at == nil {
		return ""
	}
	text := " in " + at.File
	if at.Line > 0 {
		text += fmt.Sprintf(", line %d", at.Line)
	}
	if at.Byte >= 0 {
		text += fmt.Sprintf(", byte %d", at.Byte)
	}
	if at.Member != "" {
		text += ", " + at.Member
	}
	return text
}

func reason(o *verify.Outcome) string {
	if o.Err != nil {
		return "cannot read: " + o.Err.Error()
	}
	if o.Exit() == report.ExitValid {
		return fmt.Sprintf("all that the policy %q requires holds", o.Policy.Name)
	}
	wanting := []string{}
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		result := o.Report.Of(claim)
		failed := result.Status == report.Fail
		if o.Exit() == report.ExitPolicyNotMet || o.Exit() == report.ExitUnsupported {
			failed = result.Status != report.Pass
		}
		if failed {
			wanting = append(wanting, claim.String()+" ("+result.Code+")")
		}
	}
	return strings.Join(wanting, ", ")
}

func bundleFacts(o *verify.Outcome) any {
	man := o.Manifest
	if man == nil {
		return nil
	}
	return object{
		"tenant": man.Tenant, "origin": man.Origin, "range": object{"start": man.Start, "end": man.End},
		"root": hex.EncodeToString(man.Root[:]), "manifest_digest": hex.EncodeToString(man.Digest[:]),
		"trust_root_named": hex.EncodeToString(man.TrustRoot[:]), "separation": man.Separation,
	}
}

func rootFacts(o *verify.Outcome) any {
	if o.Root == nil {
		return nil
	}
	return object{"digest": hex.EncodeToString(o.Root.Digest[:]), "version": o.Root.Version, "single_operator": o.Root.SingleOperator}
}

func findings(o *verify.Outcome) any {
	if o.Findings == nil {
		return nil
	}
	counts := object{}
	for _, status := range []string{"matched", "exceeded", "reused", "unattributed", "claimed_unproved"} {
		counts[status] = o.Findings.Counts[status]
	}
	listed := []object{}
	for _, finding := range o.Findings.Listed {
		listed = append(listed, object{"status": finding.Status, "reason": finding.Reason, "leaf": finding.Leaf})
	}
	return object{"counts": counts, "listed": listed}
}

// notProved is what no bundle proves, and what this one does not.
func notProved(o *verify.Outcome) []string {
	texts := []string{"That facts about a request are true: they are statements that intake signed, and payloads are digests here."}
	add := func(claim report.Claim, text string) {
		if o.Report.Of(claim).Status != report.Pass {
			texts = append(texts, text)
		}
	}
	add(report.Time, "When anything happened: append times are the broker's, and no outside time-stamp that counts bounds them.")
	add(report.Witness, "That the log has no second version: whoever holds all keys could have written one, and no outside witness denies it.")
	add(report.Reperformance, "That decisions follow from policy and state: that takes a replay with the engine that the bundle names.")
	texts = append(texts,
		"Anything about changes around the guarded relations, in gaps and blind spots, or after the horizon of a source.",
		"What VERIFY.md says: it is not signed.")
	if o.Root != nil && o.Root.SingleOperator {
		texts = append(texts, "That two people acted where two signed: the trust root has a single operator.")
	}
	if o.Manifest != nil && o.Manifest.Separation == "none" {
		texts = append(texts, "That intake, enforcer and recorder are apart: they ran in one process.")
	}
	return texts
}

// Text is the report for people.
func Text(o *verify.Outcome, options verify.Options) string {
	var b strings.Builder
	if man := o.Manifest; man != nil {
		fmt.Fprintf(&b, "Bundle of %s, leaves %d to %d\n  root     %x\n  manifest %x\n\n", man.Origin, man.Start, man.End, man.Root, man.Digest)
	}
	b.WriteString("Claims\n")
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		result := o.Report.Of(claim)
		fmt.Fprintf(&b, "  %-15s %-12s %s%s\n", claim, result.Status, result.Code, where(result.Location))
	}
	if o.Findings != nil {
		fmt.Fprintf(&b, "\nFindings: %v\n", o.Findings.Counts)
		for _, finding := range o.Findings.Listed {
			fmt.Fprintf(&b, "  %s (%s): leaf %d\n", finding.Status, finding.Reason, finding.Leaf)
		}
	}
	b.WriteString("\nWhat this does not prove\n")
	for _, text := range notProved(o) {
		fmt.Fprintf(&b, "  - %s\n", text)
	}
	if o.Root != nil {
		fmt.Fprintf(&b, "\nTrust root %x (version %d)\n", o.Root.Digest, o.Root.Version)
	}
	fmt.Fprintf(&b, "Policy %q, mode %s, %s %s\n\n%s (exit %d): %s\n", o.Policy.Name, mode(options), verifierName, verifierVersion,
		strings.ToUpper(strings.ReplaceAll(verdicts[o.Exit()], "_", " ")), o.Exit(), reason(o))
	return b.String()
}
