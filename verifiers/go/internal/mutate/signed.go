// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/signing"
)

// Maker makes mutations of one good bundle.
type Maker struct {
	Good Files
	// TrustRoot is the bundle's, in a next version that trusts the maker's keys too.
	TrustRoot []byte

	names, texts []string
	log, bundler ed25519.PrivateKey
	man          *manifest.Manifest
	origin       string
}

// NewMaker takes a good bundle and its trust root; the keys that sign anew follow from a seed and exist in this process only.
func NewMaker(good Files, trustRoot []byte, seed uint64) (*Maker, error) {
	m := &Maker{Good: good}
	man, fault := manifest.Parse(good["manifest.json"])
	if fault != nil {
		return nil, errors.New("the manifest of the good bundle is at fault: " + fault.Code)
	}
	m.man, m.origin = man, man.Origin
	m.log, m.bundler = testKey(seed, "log"), testKey(seed, "bundler")
	for _, name := range good.Names() {
		if name == "VERIFY.md" {
			continue
		}
		m.names = append(m.names, name)
		if strings.HasSuffix(name, ".json") || bytes.HasPrefix(good[name], []byte("{")) {
			m.texts = append(m.texts, name)
		}
	}
	root, err := m.nextRoot(trustRoot)
	m.TrustRoot = root
	return m, err
}

func testKey(seed uint64, role string) ed25519.PrivateKey {
	digest := sha256.Sum256(fmt.Appendf(nil, "clyra mutation test key %s %d", role, seed))
	return ed25519.NewKeyFromSeed(digest[:])
}

func publicOf(key ed25519.PrivateKey) []byte { return key.Public().(ed25519.PublicKey) }

// nextRoot is the next version of a trust root with two more keys.
func (m *Maker) nextRoot(data []byte) ([]byte, error) {
	var root map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&root); err != nil {
		return nil, err
	}
	keys, _ := root["keys"].([]any)
	for role, key := range map[string]ed25519.PrivateKey{"log": m.log, "bundler": m.bundler} {
		public := publicOf(key)
		digest := sha256.Sum256(public)
		keys = append(keys, map[string]any{
			"alg": "ed25519", "key_id": hex.EncodeToString(digest[:16]), "public_key": base64.StdEncoding.EncodeToString(public),
			"roles": []string{role}, "subject": "mutation:" + role, "operator": "mutation", "valid_from": 0, "valid_to": 1 << 52,
		})
	}
	digest := sha256.Sum256(data)
	root["keys"], root["version"], root["history"] = keys, 2, []string{hex.EncodeToString(digest[:])}
	return json.Marshal(root)
}

var journalMember = regexp.MustCompile(`"journal":\{"lines":[0-9]+,"segment_lines":[0-9]+,"segments":\[[^\]]*\],"sha256":"[0-9a-f]{64}","size":[0-9]+\}`)

// signed changes the journal by tokens, or the manifest, and makes digests, root and seals fit again.
func (m *Maker) signed(random *rand.Rand) Mutation {
	changed := Files{}
	text := m.Good["manifest.json"]
	what := ""
	if random.IntN(3) == 0 {
		text, what = changeToken(random, text)
		what += " manifest.json"
	} else {
		var journal []byte
		_, journal, what = m.token(random, true)
		changed["journal.jsonl"] = journal
		text = m.refit(text, journal)
	}
	changed["manifest.json"] = text
	m.seal(changed, text)
	return Mutation{Signed, what, changed}
}

// refit writes the journal's digest, size, lines, segments and the root into the manifest.
func (m *Maker) refit(text, journal []byte) []byte {
	tree, _ := merkle.NewRange(uint64(m.man.Start), m.man.Frontier)
	lines := bytes.Split(bytes.TrimSuffix(journal, []byte("\n")), []byte("\n"))
	per := manifest.SegmentLinesFor(int64(len(lines)))
	segment, _ := merkle.NewRange(0, nil)
	segments := []string{}
	var scratch []byte
	end := func() {
		root := segment.Root()
		segments = append(segments, `"`+hex.EncodeToString(root[:])+`"`)
		segment.Reset()
	}
	for _, line := range lines {
		leaf := merkle.Leaf(line, &scratch)
		tree.Append(leaf)
		segment.Append(leaf)
		if segment.Size() == uint64(per) {
			end()
		}
	}
	if segment.Size() > 0 {
		end()
	}
	member := fmt.Sprintf(`"journal":{"lines":%d,"segment_lines":%d,"segments":[%s],"sha256":"%x","size":%d}`,
		len(lines), per, strings.Join(segments, ","), sha256.Sum256(journal), len(journal))
	text = journalMember.ReplaceAllLiteral(text, []byte(member))
	text = regexp.MustCompile(`"range":\{"end":[0-9]+`).ReplaceAllLiteral(text, fmt.Appendf(nil, `"range":{"end":%d`, tree.Size()))
	return regexp.MustCompile(`"root":"[0-9a-f]{64}"`).ReplaceAllLiteral(text, fmt.Appendf(nil, `"root":"%x"`, tree.Root()))
}

// seal signs what the manifest says, as far as it can be read.
func (m *Maker) seal(changed Files, text []byte) {
	man, fault := manifest.Parse(text)
	if fault != nil {
		return
	}
	changed["checkpoint"] = signNote(m.log, man.Origin, uint64(man.End), man.Root)
	raw := func(name string) string { return string(man.Doc.Root().Get(name).Raw()) }
	leaf := fmt.Sprintf(`{"manifest":"%x","origin":%s,"range":%s,"root":%s,"v":0}`, man.Digest, raw("origin"), raw("range"), raw("root"))
	tree, ok := merkle.NewRange(uint64(man.LogNumber), man.LogFrontier)
	if !ok {
		return
	}
	var scratch []byte
	tree.Append(merkle.Leaf([]byte(leaf), &scratch))
	changed["bundle-log.checkpoint"] = signNote(m.log, man.Origin+"/bundles", tree.Size(), tree.Root())
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","predicate":{"origin":%s,"profiles":%s,"range":%s,"root":%s},`+
		`"predicateType":"https://clyra.dev/bundle/v0","subject":[{"digest":{"sha256":"%x"},"name":"manifest.json"}]}`,
		raw("origin"), raw("profiles"), raw("range"), raw("root"), man.Digest)
	const kind = "application/vnd.in-toto+json"
	signature := ed25519.Sign(m.bundler, signing.AppendPAE(nil, kind, []byte(statement)))
	changed["manifest.dsse.json"] = fmt.Appendf(nil, `{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"","sig":"%s"}]}`,
		base64.StdEncoding.EncodeToString([]byte(statement)), kind, base64.StdEncoding.EncodeToString(signature))
}

func signNote(key ed25519.PrivateKey, origin string, size uint64, root merkle.Hash) []byte {
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
	id := sha256.Sum256(append([]byte(origin+"\n\x01"), publicOf(key)...))
	payload := append(bytes.Clone(id[:4]), ed25519.Sign(key, []byte(text))...)
	return fmt.Appendf(nil, "%s\n— %s %s\n", text, origin, base64.StdEncoding.EncodeToString(payload))
}
