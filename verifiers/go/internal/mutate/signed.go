// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/suite"
	"clyra.dev/verifiers/go/internal/trust"
)

// resealer makes one case fit again after its lines or its manifest changed.
type resealer struct {
	keys keys
	man  *manifest.Manifest
	root []byte
}

var subjectText = regexp.MustCompile(`"subject":"([^"\\]{1,64})"`)

func (m *Maker) newResealer(one *suite.Case) *resealer {
	if one.Files == nil || one.TrustRoot == nil {
		return nil
	}
	man, fault := manifest.Parse(one.Files[manifest.File].Bytes)
	if fault != nil {
		return nil
	}
	person := "mutation:one"
	if found := subjectText.FindSubmatch(one.Files["journal.jsonl"].Bytes); found != nil {
		person = string(found[1])
	}
	root := m.keys.nextRoot(one.TrustRoot, person)
	if _, _, ok := trust.Parse(root); !ok {
		return nil
	}
	return &resealer{m.keys, man, root}
}

var journalMember = regexp.MustCompile(`"journal":\{"lines":[0-9]+,"segment_lines":[0-9]+,"segments":\[[^\]]*\],"sha256":"[0-9a-f]{64}","size":[0-9]+\}`)

// reseal changes tokens of the journal or of the manifest, and makes digests, root and seals fit again.
func (r *resealer) reseal(random *rand.Rand, one *suite.Case) string {
	text, what := one.Files[manifest.File].Bytes, ""
	if random.IntN(3) == 0 {
		text, what = changeToken(random, text)
		what += " in manifest.json"
	} else {
		var journal []byte
		journal, what = changeText(random, one.Files["journal.jsonl"].Bytes)
		what += " in journal.jsonl"
		put(one, "journal.jsonl", journal)
		text = r.refit(text, journal)
	}
	r.seal(one, text)
	return what
}

var replacedLine = regexp.MustCompile(`^\{"\$leaf":"([0-9a-f]{64})"\}$`)

func leafOf(line []byte, scratch *[]byte) (leaf merkle.Hash) {
	if found := replacedLine.FindSubmatch(line); found != nil {
		_, _ = hex.Decode(leaf[:], found[1])
		return leaf
	}
	return merkle.Leaf(line, scratch)
}

// refit writes the journal's digest, size, lines, segments and the root into the manifest.
func (r *resealer) refit(text, journal []byte) []byte {
	tree, _ := merkle.NewRange(uint64(r.man.Start), r.man.Frontier)
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
		leaf := leafOf(line, &scratch)
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
	text = rangeMember.ReplaceAllLiteral(text, fmt.Appendf(nil, `"range":{"end":%d`, tree.Size()))
	return rootMember.ReplaceAllLiteral(text, fmt.Appendf(nil, `"root":"%x"`, tree.Root()))
}

var (
	rangeMember = regexp.MustCompile(`"range":\{"end":[0-9]+`)
	rootMember  = regexp.MustCompile(`"root":"[0-9a-f]{64}"`)
)

// seal signs what the manifest says, as far as it can be read, and passes the trust root that knows the keys.
func (r *resealer) seal(one *suite.Case, text []byte) {
	put(one, manifest.File, text)
	one.TrustRoot = r.root
	man, fault := manifest.Parse(text)
	if fault != nil {
		return
	}
	put(one, "checkpoint", signNote(r.keys.log, man.Origin, uint64(man.End), man.Root))
	raw := func(name string) string { return string(man.Doc.Root().Get(name).Raw()) }
	if man.Export {
		r.sealStatement(one, man, "export", fmt.Sprintf(`{"of":"%x","origin":%s,"range":%s,"root":%s}`, man.Of, raw("origin"), raw("range"), raw("root")))
		return
	}
	leaf := fmt.Sprintf(`{"manifest":"%x","origin":%s,"range":%s,"root":%s,"v":0}`, man.Digest, raw("origin"), raw("range"), raw("root"))
	if tree, ok := merkle.NewRange(uint64(man.LogNumber), man.LogFrontier); ok {
		var scratch []byte
		tree.Append(merkle.Leaf([]byte(leaf), &scratch))
		put(one, "bundle-log.checkpoint", signNote(r.keys.log, man.Origin+"/bundles", tree.Size(), tree.Root()))
	}
	r.sealStatement(one, man, "bundle", fmt.Sprintf(`{"origin":%s,"profiles":%s,"range":%s,"root":%s}`, raw("origin"), raw("profiles"), raw("range"), raw("root")))
}

func (r *resealer) sealStatement(one *suite.Case, man *manifest.Manifest, of, predicate string) {
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","predicate":%s,"predicateType":"https://clyra.dev/%s/v0",`+
		`"subject":[{"digest":{"sha256":"%x"},"name":"manifest.json"}]}`, predicate, of, man.Digest)
	const kind = "application/vnd.in-toto+json"
	put(one, "manifest.dsse.json", fmt.Appendf(nil, `{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"","sig":"%s"}]}`,
		base64.StdEncoding.EncodeToString([]byte(statement)), kind, r.keys.bundler.sign(kind, []byte(statement))))
}

func signNote(by key, origin string, size uint64, root merkle.Hash) []byte {
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
	id := sha256.Sum256(append([]byte(origin+"\n\x01"), publicOf(by.private)...))
	payload := append(bytes.Clone(id[:4]), ed25519.Sign(by.private, []byte(text))...)
	return fmt.Appendf(nil, "%s\n— %s %s\n", text, origin, base64.StdEncoding.EncodeToString(payload))
}
