// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"strings"

	"clyra.dev/verifiers/go/internal/ledger"
	"clyra.dev/verifiers/go/internal/line"
	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/signing"
	"clyra.dev/verifiers/go/internal/strictjson"
	"clyra.dev/verifiers/go/internal/trust"
)

// commandRoles is the roles of the people who must sign; two of them mean two subjects. Of roles with a bar between them any will do.
var commandRoles = map[string][]string{
	"tenant.opened":        {"operator"},
	"source.registered":    {"operator"},
	"policy.activated":     {"policy_author", "policy_approver"},
	"engine.activated":     {"policy_author", "policy_approver"},
	"kill_switch.engaged":  {"operator"},
	"kill_switch.lifted":   {"operator", "operator"},
	"change.resolved":      {"operator"},
	"approval.granted":     {"approver"},
	"approval.revoked":     {"approver|operator"},
	"emergency.reviewed":   {"approver|operator|policy_approver"},
	"key.delegated":        {"delegator"},
	"trust_root.activated": {"operator", "operator"},
}

const maxCommandSignatures = 16

func isCommand(c *line.Change) bool {
	if c.Command.Present() {
		return true
	}
	kind, _ := c.Kind.Text()
	return commandRoles[kind] != nil
}

// signer is one person who signed a command.
type signer struct {
	id  [16]byte
	key *trust.Key
}

// judgeCommand judges an allowed command, in both modes.
func (j *journal) judgeCommand() {
	if j.v.root == nil {
		return
	}
	l := &j.line
	kind, _ := l.Change.Kind.Text()
	code, signers := j.commandCode(kind, l.Change.Command, l.Change.Signatures, l.AppendTime)
	if code != "" {
		j.signatures.add(fault{line: j.number, order: 3, code: code, member: "change.body.command"})
	}
	if kind == "tenant.opened" || kind == "trust_root.activated" {
		if !j.activatesKnownRoot(kind) {
			j.signatures.add(fault{line: j.number, order: 4, code: "CLY_TRUST_ROOT_OTHER", member: "change.body.command.trust_root"})
		}
	}
	j.lender = nil
	if kind == "key.delegated" && code == "" && len(signers) == 1 {
		j.lender = signers[0].key
	}
}

// commandCode is what is wrong with a command, and who signed it.
func (j *journal) commandCode(kind string, command, list strictjson.Value, time int64) (string, []signer) {
	roles := commandRoles[kind]
	if emergency, _ := command.Get("emergency").Bool(); emergency && kind == "approval.granted" {
		// Breaking the glass is an operator's, where every other approval is an approver's.
		roles = []string{"operator"}
	}
	if roles == nil {
		return "CLY_COMMAND_KIND", nil
	}
	signers, ok := j.signersOf(command, list)
	if !ok {
		return "CLY_COMMAND_SIGNER", nil
	}
	if !j.haveRoles(signers, roles, time) {
		return "CLY_COMMAND_ROLE", signers
	}
	return "", signers
}

var commandSignatureShape = shape.Closed("key_id", "sig")

func (j *journal) signersOf(command, list strictjson.Value) (signers []signer, ok bool) {
	if list.Kind() != strictjson.Array || list.Len() < 1 || list.Len() > maxCommandSignatures || command.Kind() != strictjson.Object {
		return nil, false
	}
	message := signing.AppendPAE(nil, commandType, command.Raw())
	for element := range list.Each {
		var c shape.Checker
		var f [2]strictjson.Value
		if !c.Fields(element, "", commandSignatureShape, f[:]) {
			return nil, false
		}
		id, signature := c.ID(f[0], "", "key_id"), c.Base64(f[1], "", "sig", 64)
		key := j.v.root.Keys[id]
		if !c.OK() || key == nil || key.Algorithm != trust.Ed25519 || !signing.Verify(key.Public, message, signature) {
			return nil, false
		}
		signers = append(signers, signer{id, key})
	}
	return signers, command.Get("subject").TextIs(signers[0].key.Subject)
}

// haveRoles looks for signers in the roles; two roles are for two subjects, unless one person may hold all keys.
func (j *journal) haveRoles(signers []signer, roles []string, time int64) bool {
	may := func(s signer, roles string) bool {
		for role := range strings.SplitSeq(roles, "|") {
			if _, code := j.v.ring.Judge(s.id, time, role); code == "" {
				return true
			}
		}
		return false
	}
	for _, first := range signers {
		if !may(first, roles[0]) {
			continue
		}
		if len(roles) == 1 {
			return true
		}
		for _, second := range signers {
			if may(second, roles[1]) && (j.v.root.SingleOperator || first.key.Subject != second.key.Subject) {
				return true
			}
		}
	}
	return false
}

// activatesKnownRoot says whether the trust root that a command puts in force is one the reader's knows, and the next one.
func (j *journal) activatesKnownRoot(kind string) bool {
	command := j.line.Change.Command
	digest, ok := digestMember(command, "trust_root")
	if !ok || !j.v.root.Knows(digest) {
		return false
	}
	if kind == "tenant.opened" {
		return true
	}
	replaces, ok := digestMember(command, "replaces")
	known := j.v.ledger == nil || replaces == j.v.ledger.TrustRoot
	return ok && known && j.v.root.Follows(replaces, digest)
}

// lend takes a delegation into account, for the lines behind this one.
func (j *journal) lend() {
	if j.lender != nil && j.line.Receipt.Allowed("key.delegated") {
		j.v.ring.Delegate(j.lender, j.line.Change.Command.Get("key"), j.line.AppendTime)
	}
	j.lender = nil
}

// lendFromLedger judges a delegation of the opening ledger as if its line stood here.
func (j *journal) lendFromLedger(d ledger.Delegation) {
	var command, list strictjson.Doc
	if command.Parse(d.Command, strictjson.Record) != nil {
		return
	}
	wrapped := append(append([]byte(`{"list":`), d.Signatures...), '}')
	if list.Parse(wrapped, strictjson.Record) != nil {
		return
	}
	code, signers := j.commandCode("key.delegated", command.Root(), list.Root().Get("list"), d.AppendTime)
	if code != "" {
		j.signatures.add(fault{code: code, member: "delegation"})
	} else if len(signers) == 1 {
		j.v.ring.Delegate(signers[0].key, command.Root().Get("key"), d.AppendTime)
	}
}
