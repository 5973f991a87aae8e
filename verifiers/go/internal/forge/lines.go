// SPDX-License-Identifier: Apache-2.0

package forge

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/signing"
)

var (
	intake   = keyOf("intake")
	enforcer = keyOf("enforcer")
	recorder = keyOf("recorder")
	operator = keyOf("operator")
)

// answered is a change and its receipt, or an observation alone.
type answered struct {
	appendTime      int64
	change, receipt []byte
	recorded        bool
	observation     []byte
}

func (w *writer) open() {
	command := fmt.Sprintf(`{"engine":1,"expires_at":%d,"issued_at":%d,"kind":"tenant.opened","partition":1,"policy":"%s","replaces":null,`+
		`"subject":"olga","tenant":"acme","trust_root":"%s"}`, w.timeMS+60_000, w.timeMS, w.policyDigest, w.trustRoot)
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(operator, signing.AppendPAE(nil, "application/vnd.clyra.command.v0+json", []byte(command))))
	members := fmt.Sprintf(`"command":%s,"event_id":"%s","intake":{"epoch":1795865635,"instance":"intake-1"},"intake_at":%d,"kind":"tenant.opened",`+
		`"signatures":[{"key_id":"%s","sig":"%s"}],"tenant":"acme","v":0`, command, uuid(0), w.timeMS, keyID(operator), signature)
	w.write([]answered{w.answer("tenant.opened", uuid(0), members, `"state_digest":"`+state+`",`)})
}

func (w *writer) close() {
	members := fmt.Sprintf(`"event_id":"%s","intake":{"epoch":1795865635,"instance":"intake-1"},"intake_at":%d,"kind":"window.closed","number":1,`+
		`"tenant":"acme","v":0`, uuid(1), w.timeMS)
	closing := w.answer("window.closed", uuid(1), members, `"state_digest":"`+state+`",`)
	w.cut = fmt.Sprintf(`{"kind":"window.closed","offset":%d,"partition":1,"receipt_id":"%s","state_digest":"%s"}`, w.offset, w.receiptID(), state)
	w.write([]answered{closing})
}

func (w *writer) receiptID() string { return idOf(fmt.Sprintf("%s\n1\n%d", stream, w.offset)) }

// next goes on by one offset and a millisecond.
func (w *writer) next(members string) (change []byte, digest string) {
	w.offset++
	w.timeMS++
	w.count(w.timeMS)
	change = []byte("{" + members + "}")
	return change, hexOf(change)
}

// link makes the body the head of the chain.
func (w *writer) link(body []byte) []byte {
	w.head = hexOf(append([]byte("clyra/prev/v0\n"), body...))
	w.seq++
	return body
}

// answer decides what has no facts; `extra` stands between receipt_id and stream_id.
func (w *writer) answer(kind, event, members, extra string) answered {
	change, digest := w.next(members)
	receipt := fmt.Appendf(nil, `{"change_digest":"%s","change_kind":"%s","decided_at":%d,"decision":"allow","engine":1,"event_id":"%s","kind":"decided",`+
		`"mode":"gate","offset":%d,"partition":1,"policy_digest":"%s","previous_offset":%d,"reasons":[],"receipt_id":"%s",%s`+
		`"stream_id":"%s","tenant":"acme","tenant_prev":"%s","tenant_seq":%d,"v":0}`, digest, kind, w.timeMS, event, w.offset, w.policyDigest,
		w.offset-1, w.receiptID(), extra, stream, w.head, w.seq)
	return answered{appendTime: w.timeMS, change: change, receipt: w.link(receipt)}
}

func (w *writer) recorded(kind, event, members, effect, of string) answered {
	change, digest := w.next(members)
	receipt := fmt.Appendf(nil, `{"change_digest":"%s","change_kind":"%s","decided_at":%d,"effect":"%s","event_id":"%s","kind":"recorded",%s`+
		`"offset":%d,"partition":1,"previous_offset":%d,"receipt_id":"%s","stream_id":"%s","tenant":"acme","tenant_prev":"%s","tenant_seq":%d,"v":0}`,
		digest, kind, w.timeMS, effect, event, of, w.offset, w.offset-1, w.receiptID(), stream, w.head, w.seq)
	return answered{appendTime: w.timeMS, change: change, receipt: w.link(receipt), recorded: true}
}

const payloadBytes = 7_505

// units writes units that are signed at once.
func (w *writer) units(from, count int64) {
	made := make([]answered, 0, 4*count)
	for unit := from; unit < from+count; unit++ {
		some := func(what string) string { return hexOf(fmt.Appendf(nil, "%s %d", what, unit)) }
		if w.plan.Watched {
			made = append(made, answered{appendTime: w.timeMS, observation: w.transaction(unit, "", some)})
			continue
		}
		event, token := uuid(2*unit+2), `"`+some("token")+`"`
		made = append(made, w.request(event, some("token"), some))
		members := fmt.Sprintf(`"event_id":"%s","intake":{"epoch":1795865635,"instance":"intake-1"},"intake_at":%d,"kind":"change.outcome","of":"%s",`+
			`"outcome":"done","tenant":"acme","upstream_status":201,"v":0`, uuid(2*unit+3), w.timeMS, event)
		made = append(made, w.recorded("change.outcome", uuid(2*unit+3), members, "done", `"of":"`+event+`",`))
		w.lastOutcomeAt = w.timeMS
		made = append(made, answered{appendTime: w.timeMS, observation: w.transaction(unit, token, some)})
		tick := fmt.Sprintf(`"event_id":"%s","intake":{"epoch":1795865635,"instance":"intake-1"},"intake_at":%d,"kind":"clock.ticked","number":%d,`+
			`"tenant":"acme","v":0`, uuid(-unit - 1)[:36], w.timeMS, unit)
		made = append(made, w.recorded("clock.ticked", uuid(-unit - 1)[:36], tick, "ticked", ""))
	}
	w.write(made)
}

func (w *writer) request(event, token string, some func(string) string) answered {
	under := `"inspected_under":{"inspector":"clyra-inspector/0","policy_digest":"` + w.policyDigest + `"},`
	members := fmt.Sprintf(`"event_id":"%s","facts":{"actors":[{"from":"credential","value":"*"},{"from":"header","value":"sync-run-mx0c0txe"}],`+
		`"canonical_digest":"%s","content":"ok","execution_token_hash":"%s","idempotency":{"fingerprint":"%s","key_digest":"%s"},%s"method":"POST",`+
		`"nonce_digest":"%s","payload_digest":"%s","payload_size":%d,"principal":"acme-default","route":"activations.sync",`+
		`"schema":{"errors":[],"id":"activation","verdict":"valid"},"target_digest":"%s",`+
		`"tenants":[{"from":"credential","value":"acme"},{"from":"header","value":"acme"},{"from":"body","value":"acme"}],`+
		`"velocity":[{"key_digest":"%s","rule":"activations-per-actor"}]},"intake":{"epoch":1795865635,"instance":"intake-1"},"intake_at":%d,`+
		`"kind":"change.requested","tenant":"acme","v":0`, event, some("canonical"), token, some("fingerprint"), some("key"), under, some("nonce"),
		some("payload"), payloadBytes, some("target"), some("velocity"), w.timeMS)
	w.payload += payloadBytes
	change, digest := w.next(members)
	receipt := fmt.Appendf(nil, `{"actor":"sync-run-mx0c0txe","change_digest":"%s","change_kind":"change.requested","decided_at":%d,"decision":"allow","engine":1,`+
		`"event_id":"%s","idempotency":{"expires_at":%d,"state":"first"},%s"kind":"decided","mode":"gate","offset":%d,"partition":1,`+
		`"payload_digest":"%s","policy_digest":"%s","previous_offset":%d,"reasons":[],"receipt_id":"%s","route":"activations.sync",`+
		`"stream_id":"%s","tenant":"acme","tenant_prev":"%s","tenant_seq":%d,"v":0,`+
		`"velocity":[{"limit":2000,"remaining":1999,"reset_ms":60000,"rule":"activations-per-actor","window_seconds":60}]}`,
		digest, w.timeMS, event, w.timeMS+86_400_000, under, w.offset, some("payload"), w.policyDigest, w.offset-1, w.receiptID(), stream, w.head, w.seq)
	return answered{appendTime: w.timeMS, change: change, receipt: w.link(receipt)}
}

func (w *writer) transaction(unit int64, token string, some func(string) string) []byte {
	w.newest = fmt.Sprintf("%X/%X", (unit+1)>>32, (unit+1)&0xFFFFFFFF)
	id := idOf(fmt.Sprintf("7713184115874506767\n1\n%s\n0", w.newest))
	return fmt.Appendf(nil, `{"commit_end_lsn":"%s","committed_at":%d,"kind":"transaction","messages":1,"observation_id":"%s",`+
		`"relations":[{"deletes":0,"inserts":1,"name":"activations","rows_digest":"%s","schema":"public","truncates":0,"updates":0}],`+
		`"source_id":"crm","system_id":"7713184115874506767","tenant":"acme","timeline":1,"token_hashes":[%s],"v":0,"xid":729}`,
		w.newest, w.timeMS, id, some("rows"), token)
}

// write signs bodies, those of one process at once, and writes their lines.
func (w *writer) write(made []answered) {
	var changes, receipts, observations [][]byte
	for _, one := range made {
		switch {
		case one.observation != nil:
			observations = append(observations, one.observation)
		case one.recorded:
			changes = append(changes, one.change)
		default:
			changes, receipts = append(changes, one.change), append(receipts, one.receipt)
		}
	}
	changed, answers, seen := sign(intake, "change", changes), sign(enforcer, "receipt", receipts), sign(recorder, "observation", observations)
	for _, one := range made {
		if one.observation != nil {
			w.put(fmt.Appendf(nil, `{"append_time":%d,"kind":"observed","observation":{"body":%s,"sig":%s},"v":0}`, one.appendTime, one.observation, seen()))
			continue
		}
		block := "null"
		if !one.recorded {
			block = answers()
		}
		w.put(fmt.Appendf(nil, `{"append_time":%d,"change":{"body":%s,"sig":%s},"kind":"decided","receipt":{"body":%s,"sig":%s},"v":0}`, one.appendTime,
			one.change, changed(), one.receipt, block))
	}
}

// sign gives the blocks of one send, one after the other.
func sign(key ed25519.PrivateKey, of string, bodies [][]byte) func() string {
	leaves := make([]merkle.Hash, len(bodies))
	var scratch []byte
	for i, body := range bodies {
		digest := sha256.Sum256(body)
		leaves[i] = merkle.Leaf(digest[:], &scratch)
	}
	signature := ""
	if len(bodies) > 0 {
		payload := fmt.Appendf(nil, `{"root":"%x","size":%d}`, rootOf(leaves), len(leaves))
		signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, signing.AppendPAE(nil, "application/vnd.clyra."+of+".v0+json", payload)))
	}
	id, at := keyID(key), -1
	return func() string {
		at++
		path := []byte{'['}
		for i, hash := range pathOf(at, leaves) {
			if i > 0 {
				path = append(path, ',')
			}
			path = append(hex.AppendEncode(append(path, '"'), hash[:]), '"')
		}
		return fmt.Sprintf(`{"index":%d,"key_id":"%s","path":%s],"sig":"%s","size":%d}`, at, id, path, signature, len(leaves))
	}
}

// split is the largest power of two below n.
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func rootOf(leaves []merkle.Hash) merkle.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := split(len(leaves))
	return merkle.Node(rootOf(leaves[:k]), rootOf(leaves[k:]))
}

// pathOf is the audit path of RFC 6962 §2.1.1, lowest sibling first.
func pathOf(at int, leaves []merkle.Hash) []merkle.Hash {
	if len(leaves) <= 1 {
		return nil
	}
	k := split(len(leaves))
	if at < k {
		return append(pathOf(at, leaves[:k]), rootOf(leaves[k:]))
	}
	return append(pathOf(at-k, leaves[k:]), rootOf(leaves[:k]))
}
