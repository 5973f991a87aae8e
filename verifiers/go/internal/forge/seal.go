// SPDX-License-Identifier: Apache-2.0

package forge

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/signing"
)

var (
	log     = keyOf("log")
	bundler = keyOf("bundler")
)

func trustRoot() []byte {
	var keys []any
	for role, key := range map[string]ed25519.PrivateKey{
		"intake": intake, "enforcer": enforcer, "recorder": recorder, "operator": operator, "log": log, "bundler": bundler,
	} {
		subject := role
		if role == "operator" {
			subject = "olga"
		}
		keys = append(keys, map[string]any{
			"alg": "ed25519", "key_id": keyID(key), "public_key": base64.StdEncoding.EncodeToString(publicOf(key)), "roles": []string{role},
			"subject": subject, "operator": "acme", "valid_from": 0, "valid_to": 1 << 52,
		})
	}
	root, _ := json.Marshal(map[string]any{
		"format": "clyra/trust-root/v0", "version": 1, "expires_at": 1 << 52, "log_origin": "clyra.example", "single_operator": false, "keys": keys,
	})
	return root
}

// seal writes everything but the journal.
func (w *writer) seal() error {
	if w.segment.Size() > 0 {
		w.endSegment()
	}
	ledger := w.ledger()
	root := w.tree.Root()
	text := w.manifest(ledger, root)
	files := map[string][]byte{
		"artifacts/" + w.policyDigest: []byte(policy),
		"artifacts/" + hexOf(ledger):  ledger,
		"manifest.json":               text,
		"checkpoint":                  note(origin, uint64(w.lines), root),
		"bundle-log.checkpoint":       note(origin+"/bundles", 1, w.bundleLeaf(text, root)),
		"manifest.dsse.json":          w.envelope(text, root),
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(w.plan.Folder, "bundle", filepath.FromSlash(name)), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) ledger() []byte {
	lastOutcome := "null"
	if w.plan.requests() > 0 {
		lastOutcome = fmt.Sprint(w.lastOutcomeAt)
	}
	text := fmt.Appendf(nil, `{"chain":{"head":"%s","next_seq":%d},"kind":"head","last_decided_at":%d,"last_offset":%d,"last_outcome_at":%s,"policy":"%s",`+
		`"trust_root":"%s","v":0}`+"\n", w.head, w.seq, w.timeMS, w.offset, lastOutcome, w.policyDigest, w.trustRoot)
	if w.plan.Units == 0 {
		return text
	}
	return fmt.Appendf(text, `{"coverage":null,"kind":"source","newest":{"lsn":"%s","system_id":"7713184115874506767","timeline":1},"registered":false,`+
		`"source_id":"crm","watermark":null}`+"\n", w.newest)
}

func (w *writer) profiles() string {
	if w.plan.Units == 0 {
		return `[]`
	}
	if w.plan.requests() == 0 {
		return `["def/v0"]`
	}
	return `["def/v0","pef/v0"]`
}

func (w *writer) manifest(ledger []byte, root merkle.Hash) []byte {
	artifacts := []string{
		fmt.Sprintf(`{"kind":"policy","sha256":"%s","size":%d}`, w.policyDigest, len(policy)),
		fmt.Sprintf(`{"kind":"ledger","sha256":"%s","size":%d}`, hexOf(ledger), len(ledger)),
	}
	if hexOf(ledger) < w.policyDigest {
		artifacts[0], artifacts[1] = artifacts[1], artifacts[0]
	}
	n, requests := w.plan.Units, w.plan.requests()
	lag := fmt.Sprintf(`{"count":%d,"max_ms":1,"sum_ms":%d}`, 3*requests+2, 3*requests+2)
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"artifacts":[%s],"bundle_log":{"frontier":[],"number":0},"closing_ledger":"%s",`, strings.Join(artifacts, ","), hexOf(ledger))
	fmt.Fprintf(&b, `"cost":{"payload_bytes":%d,"payload_bytes_allowed":%d,"rows_written":%d,"transactions":%d},"coverage":[],"cut":%s,`, w.payload, w.payload, n, n, w.cut)
	fmt.Fprintf(&b, `"decisions":{"allow":%d,"block":0,"hold":0,"recorded":%d},"documents":{"held":0,"named":0},"engine":1,"format":"clyra/bundle/v0",`, requests+2, 2*requests)
	fmt.Fprintf(&b, `"frontier":[],"gaps":[],"governance":{"accuracy":{"content_refused":0,"schema_invalid":0,"schema_not_checked":0,"schema_not_required":0,"schema_valid":%d},`, requests)
	b.WriteString(`"oversight":{"approvals_granted":0,"approvals_revoked":0,"changes_resolved":0,"emergencies_reviewed":0,"engines_activated":0,"held":0,` +
		`"kill_switches_engaged":0,"kill_switches_lifted":0,"policies_activated":0,"reviewed_only":0,"superseding":0},`)
	fmt.Fprintf(&b, `"reliability":{"changes_refused":0,"gaps":0,"outage_ms":0,"outages":0,"outcomes_done":%d,"outcomes_failed":0,"outcomes_other":0,"outcomes_returned":0},`, requests)
	fmt.Fprintf(&b, `"transparency":{"accesses":0,"refused":0,"refused_unexplained":0,"requests":%d,"requests_in_runs":0}},`, requests)
	fmt.Fprintf(&b, `"journal":{"lines":%d,"segment_lines":%d,"segments":[%s],"sha256":"%x","size":%d},`, w.lines, w.per, strings.Join(w.roots, ","), w.sum.Sum(nil), w.size)
	fmt.Fprintf(&b, `"opening_ledger":null,"opening_state":null,"origin":"%s","outages":[],`, origin)
	fmt.Fprintf(&b, `"performance":{"commit_to_log":{"count":%d,"max_ms":0,"sum_ms":0},"decided_per_second_max":%d,"intake_to_log":%s,"span_ms":%d},`, n, w.mostPerSecond, lag, 3*requests+1)
	fmt.Fprintf(&b, `"policies":["%s"],"previous_manifest":null,"producer":{"name":"clyra-forge","version":"0"},"profiles":%s,"range":{"end":%d,"start":0},`, w.policyDigest, w.profiles(), w.lines)
	fmt.Fprintf(&b, `"reconciliation":{"claimed_unproved":0,"exceeded":0,"grants_forgotten":0,"grants_unused":0,"guarded":0,"horizon":null,"matched":0,"observations":%d,`, n)
	fmt.Fprintf(&b, `"pending":0,"reused":0,"sources":[],"state":"final","unattributed":0,"unjudged":0,"unobserved":0},"root":"%x","runs":{"closed":[],"open":[]},`, root)
	fmt.Fprintf(&b, `"security":{"reasons":[],"reasons_other":0,"threats":[],"threats_other":0},"separation":"processes","stream_id":"%s","tenant":"acme","trust_root":"%s"}`, stream, w.trustRoot)
	return b.Bytes()
}

func (w *writer) bundleLeaf(text []byte, root merkle.Hash) merkle.Hash {
	leaf := fmt.Appendf(nil, `{"manifest":"%s","origin":"%s","range":{"end":%d,"start":0},"root":"%x","v":0}`, hexOf(text), origin, w.lines, root)
	return merkle.Leaf(leaf, &w.scratch)
}

func note(of string, size uint64, root merkle.Hash) []byte {
	text := fmt.Sprintf("%s\n%d\n%s\n", of, size, base64.StdEncoding.EncodeToString(root[:]))
	id := sha256.Sum256(append([]byte(of+"\n\x01"), publicOf(log)...))
	payload := append(bytes.Clone(id[:4]), ed25519.Sign(log, []byte(text))...)
	return fmt.Appendf(nil, "%s\n— %s %s\n", text, of, base64.StdEncoding.EncodeToString(payload))
}

func (w *writer) envelope(text []byte, root merkle.Hash) []byte {
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","predicate":{"origin":"%s","profiles":%s,"range":{"end":%d,"start":0},"root":"%x"},`+
		`"predicateType":"https://clyra.dev/bundle/v0","subject":[{"digest":{"sha256":"%s"},"name":"manifest.json"}]}`, origin, w.profiles(), w.lines, root, hexOf(text))
	const kind = "application/vnd.in-toto+json"
	signature := ed25519.Sign(bundler, signing.AppendPAE(nil, kind, []byte(statement)))
	return fmt.Appendf(nil, `{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"","sig":"%s"}]}`,
		base64.StdEncoding.EncodeToString([]byte(statement)), kind, base64.StdEncoding.EncodeToString(signature))
}
