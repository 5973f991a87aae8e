// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp"

	"clyra.dev/verifiers/go/internal/manifest"
	"clyra.dev/verifiers/go/internal/merkle"
	"clyra.dev/verifiers/go/internal/strictjson"
	"clyra.dev/verifiers/go/internal/suite"
)

// relink changes tokens of the journal, and then makes everything fit that a forger with all keys could make fit: digests of
// changes, chains, signatures of commands and bodies, digests, root and seals. What is left are the rules about meaning.
func (r *resealer) relink(random *rand.Rand, one *suite.Case) string {
	journal, what := changeText(random, one.Files["journal.jsonl"].Bytes)
	if random.IntN(4) == 0 {
		journal, _ = changeText(random, journal)
		what += " and more"
	}
	before := bytes.Split(one.Files["journal.jsonl"].Bytes, []byte("\n"))
	lines := bytes.Split(journal, []byte("\n"))
	l := linker{keys: r.keys, links: map[string]string{}, spare: random.IntN(8) == 0}
	changed := false
	for i, line := range lines {
		changed = changed || i >= len(before) || !bytes.Equal(line, before[i])
		lines[i] = l.line(line, changed)
	}
	journal = bytes.Join(lines, []byte("\n"))
	put(one, "journal.jsonl", journal)
	r.seal(one, r.refit(one.Files[manifest.File].Bytes, journal))
	return what + " in journal.jsonl, relinked"
}

// linker goes through a journal and remembers the links of the bodies as they were and as they became.
type linker struct {
	keys keys
	doc  strictjson.Doc
	// links gives the new link for an old one.
	links map[string]string
	// spare leaves the digests of changes as they are.
	spare bool
}

// line gives the line with what the changes before it ask for; fresh says that it or one before it changed.
func (l *linker) line(text []byte, fresh bool) []byte {
	if !fresh || l.doc.Parse(text, strictjson.Record) != nil {
		return text
	}
	root := l.doc.Root()
	switch kind, _ := root.Get("kind").Text(); kind {
	case "decided":
		return l.decided(root)
	case "observed":
		body := root.Get("observation").Get("body").Raw()
		if body == nil {
			return text
		}
		return fmt.Appendf(nil, `{"append_time":%s,"kind":"observed","observation":{"body":%s,"sig":%s},"v":%s}`, root.Get("append_time").Raw(),
			body, l.block(l.keys.recorder, "observation", body), root.Get("v").Raw())
	}
	return text
}

func (l *linker) decided(root strictjson.Value) []byte {
	change, receipt := root.Get("change").Get("body"), root.Get("receipt").Get("body")
	if change.Kind() != strictjson.Object || receipt.Kind() != strictjson.Object {
		return bytes.Clone(root.Raw())
	}
	changeText := l.command(change)
	old := receipt.Raw()
	made := bytes.Clone(old)
	if !l.spare {
		made = changeDigest.ReplaceAllLiteral(made, fmt.Appendf(nil, `"change_digest":"%x"`, sha256.Sum256(changeText)))
	}
	made = linkMember.ReplaceAllFunc(made, func(member []byte) []byte {
		at := bytes.IndexByte(member, ':') + 2
		if now, ok := l.links[string(member[at:at+64])]; ok {
			return append(bytes.Clone(member[:at]), now+`"`...)
		}
		return member
	})
	if was, is := linkTo(old), linkTo(made); was != is {
		l.links[was] = is
	}
	block := root.Get("receipt").Get("sig").Raw()
	if !bytes.Equal(block, []byte("null")) {
		block = l.block(l.keys.enforcer, "receipt", made)
	}
	return fmt.Appendf(nil, `{"append_time":%s,"change":{"body":%s,"sig":%s},"kind":"decided","receipt":{"body":%s,"sig":%s},"v":%s}`,
		root.Get("append_time").Raw(), changeText, l.block(l.keys.intake, "change", changeText), made, block, root.Get("v").Raw())
}

var (
	changeDigest = regexp.MustCompile(`"change_digest":"[0-9a-f]{64}"`)
	linkMember   = regexp.MustCompile(`"(?:tenant_prev|prev)":"[0-9a-f]{64}"`)
	signatures   = regexp.MustCompile(`"signatures":\[[^\]]*\]`)
)

func linkTo(body []byte) string {
	digest := sha256.Sum256(append([]byte("clyra/prev/v0\n"), body...))
	return hex.EncodeToString(digest[:])
}

// command signs a command anew, by as many people as signed it.
func (l *linker) command(change strictjson.Value) []byte {
	text := bytes.Clone(change.Raw())
	command := change.Get("command")
	if command.Kind() != strictjson.Object {
		return text
	}
	payload := command.Raw()
	list := ""
	for i, by := range []key{l.keys.one, l.keys.two} {
		if i < change.Get("signatures").Len() {
			list += fmt.Sprintf(`,{"key_id":"%s","sig":"%s"}`, by.id, by.sign("application/vnd.clyra.command.v0+json", payload))
		}
	}
	if list == "" {
		return text
	}
	return signatures.ReplaceAllLiteral(text, []byte(`"signatures":[`+list[1:]+`]`))
}

// block signs one body as a send of its own.
func (l *linker) block(by key, of string, body []byte) []byte {
	digest := sha256.Sum256(body)
	var scratch []byte
	root := merkle.Leaf(digest[:], &scratch)
	payload := fmt.Appendf(nil, `{"root":"%x","size":1}`, root)
	return fmt.Appendf(nil, `{"index":0,"key_id":"%s","path":[],"sig":"%s","size":1}`, by.id,
		by.sign("application/vnd.clyra."+of+".v0+json", payload))
}
