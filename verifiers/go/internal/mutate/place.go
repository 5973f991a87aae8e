// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/suite"
)

// replace moves, removes and adds whole files.
func (m *Maker) replace(random *rand.Rand, one *suite.Case) string {
	other := m.cases[random.IntN(len(m.cases))]
	if one.Files == nil {
		return takeTar(random, one, other)
	}
	names := []string{}
	for name := range one.Files {
		names = append(names, name)
	}
	slices.Sort(names)
	name := pick(random, names)
	switch random.IntN(12) {
	case 0:
		delete(one.Files, name)
		return "remove " + name
	case 1:
		added := strangeName(random)
		one.Files[added] = archive.Content{Bytes: one.Files[name].Bytes}
		return "add " + added
	case 2:
		is := []archive.Is{archive.Folder, archive.Other}[random.IntN(2)]
		one.Files[name] = archive.Content{Is: is}
		return "no file at " + name
	case 3:
		folder := []string{"artifacts", "cosignatures", "times"}[random.IntN(3)]
		one.Files[folder] = archive.Content{Is: archive.Is(random.IntN(3))}
		return "at the folder " + folder
	case 4, 5:
		return addNamed(random, one)
	case 6, 7, 8:
		return takeOwn(random, one, other)
	case 9:
		one.Tar, one.Files = archive.Pack(one.Files), nil
		data, what := rawChange(random, one.Tar)
		if random.IntN(3) == 0 {
			at := random.IntN(len(one.Tar)/512) * 512
			data, what = slices.Concat(one.Tar[:at], one.Tar[min(len(one.Tar), at+512):]), "a block less"
		}
		one.Tar = data
		return what + " in the archive"
	default:
		return takeFile(random, one, other)
	}
}

func strangeName(random *rand.Rand) string {
	names := []string{
		"extra", "Manifest.json", "artifacts/../x", "artifacts/x", "journal.jsonl ", "times/0.tsr", "cosignatures", "replay.dsse.json",
		"VERIFY.md", "SHA256SUMS", "artifacts/a/b", "other/file", "\xff",
	}
	return pick(random, names)
}

// addNamed adds a file that is named by its digest, as cosignatures, tokens and artifacts are, or nearly.
func addNamed(random *rand.Rand, one *suite.Case) string {
	data := []byte{byte(random.IntN(256))}
	if random.IntN(2) == 0 {
		data = []byte("— w.example AAAAAAAAAAAAAAAAAAAA\n")
	}
	digest := sha256.Sum256(data)
	if random.IntN(3) == 0 {
		digest[random.IntN(32)]++
	}
	name := []string{"artifacts/%", "cosignatures/%", "times/%.tsr"}[random.IntN(3)]
	folder, suffix := name[:len(name)-1], ""
	if name == "times/%.tsr" {
		folder, suffix = "times/", ".tsr"
	}
	name = folder + hex.EncodeToString(digest[:]) + suffix
	one.Files[name] = archive.Content{Bytes: data}
	return "add " + name
}

// takeOwn passes other files of the reader, or none.
func takeOwn(random *rand.Rand, one, other *suite.Case) string {
	own := []string{inTrustRoot, inPolicy, inPrevious, inDisclosures}
	name := pick(random, own)
	data := Flat(other)[name].Bytes
	if random.IntN(4) == 0 {
		data = nil
	}
	if name == inPrevious && data == nil {
		data = other.Files["checkpoint"].Bytes
	}
	put(one, name, data)
	return "pass " + name + " of " + other.Name
}

// takeFile puts a file of another case into the bundle.
func takeFile(random *rand.Rand, one, other *suite.Case) string {
	names := []string{}
	for name := range other.Files {
		names = append(names, name)
	}
	if len(names) == 0 {
		return takeOwn(random, one, other)
	}
	slices.Sort(names)
	name := pick(random, names)
	one.Files[name] = other.Files[name]
	return "take " + name + " of " + other.Name
}

func takeTar(random *rand.Rand, one, other *suite.Case) string {
	if other.Tar == nil || random.IntN(2) == 0 {
		data, what := rawChange(random, one.Tar)
		one.Tar = data
		return what + " in the archive"
	}
	at, from := random.IntN(len(one.Tar)/512+1)*512, random.IntN(len(other.Tar)/512+1)*512
	one.Tar = slices.Concat(one.Tar[:at], other.Tar[from:])
	return "the end of the archive " + other.Name
}
