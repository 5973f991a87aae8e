// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"clyra.dev/verifiers/go/internal/signing"
)

// key is a test key: nothing trusts it but trust roots that are made here.
type key struct {
	id      string
	private ed25519.PrivateKey
	roles   []string
}

// keys are those that sign anew. Two people hold every role that commands ask for.
type keys struct {
	log, bundler, intake, enforcer, recorder, one, two key
}

func newKeys() keys {
	person := []string{"operator", "policy_author", "policy_approver", "approver", "delegator"}
	return keys{
		log: newKey("log"), bundler: newKey("bundler", "attestor"), intake: newKey("intake"),
		enforcer: newKey("enforcer"), recorder: newKey("recorder", "bundler", "operator"),
		one: newKey("one", person...), two: newKey("two", person...),
	}
}

// newKey has the role of its name where none is given.
func newKey(name string, roles ...string) key {
	digest := sha256.Sum256([]byte("clyra mutation test key " + name))
	private := ed25519.NewKeyFromSeed(digest[:])
	id := sha256.Sum256(publicOf(private))
	if len(roles) == 0 || roles[0] != "operator" {
		roles = append([]string{name}, roles...)
	}
	return key{hex.EncodeToString(id[:16]), private, roles}
}

func publicOf(private ed25519.PrivateKey) []byte { return private.Public().(ed25519.PublicKey) }

func (k key) sign(kind string, payload []byte) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, signing.AppendPAE(nil, kind, payload)))
}

// nextRoot is the next version of a trust root with these keys too; nil when it cannot be read. The first person is who
// signed the commands of the case.
func (k keys) nextRoot(data []byte, person string) []byte {
	var root map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&root); err != nil {
		return nil
	}
	list, _ := root["keys"].([]any)
	for i, one := range []key{k.log, k.bundler, k.intake, k.enforcer, k.recorder, k.one, k.two} {
		subject := fmt.Sprintf("mutation:%d", i)
		if one.id == k.one.id {
			subject = person
		}
		list = append(list, map[string]any{
			"alg": "ed25519", "key_id": one.id, "public_key": base64.StdEncoding.EncodeToString(publicOf(one.private)),
			"roles": one.roles, "subject": subject, "operator": "mutation", "valid_from": 0, "valid_to": 1 << 52,
		})
	}
	version, _ := root["version"].(json.Number)
	before, _ := version.Int64()
	history, _ := root["history"].([]any)
	digest := sha256.Sum256(data)
	root["keys"], root["version"] = list, before+1
	root["history"] = append(slices.Clone(history), hex.EncodeToString(digest[:]))
	next, err := json.Marshal(root)
	if err != nil {
		return nil
	}
	return next
}
