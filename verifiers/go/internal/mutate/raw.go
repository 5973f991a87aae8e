// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"math/rand/v2"
	"slices"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/suite"
)

// changeSome changes one file: mostly of the bundle, seldom one that the reader passes.
func changeSome(random *rand.Rand, one *suite.Case, change func(*rand.Rand, []byte) ([]byte, string)) string {
	names, own := []string{}, []string{}
	for name, content := range Flat(one) {
		switch {
		case content.Is != archive.File:
		case name[0] == '@' && name != inTar:
			own = append(own, name)
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	slices.Sort(own)
	from := names
	if len(own) > 0 && random.IntN(10) == 0 {
		from = own
	}
	name := pick(random, from)
	if _, has := one.Files["journal.jsonl"]; has && random.IntN(4) == 0 {
		name = "journal.jsonl"
	}
	data, what := change(random, Flat(one)[name].Bytes)
	put(one, name, data)
	return what + " in " + name
}

func pick(random *rand.Rand, names []string) string { return names[random.IntN(len(names))] }

// rawChange damages bytes without looking at what they say.
func rawChange(random *rand.Rand, data []byte) ([]byte, string) {
	out := bytes.Clone(data)
	if len(out) == 0 {
		return []byte{byte(random.IntN(256))}, "insert"
	}
	at := random.IntN(len(out))
	switch random.IntN(6) {
	case 0, 1:
		out[at] ^= 1 << random.IntN(8)
		return out, "flip"
	case 2:
		out[at] = byte(random.IntN(256))
		return out, "overwrite"
	case 3:
		return slices.Insert(out, at, byte(random.IntN(256))), "insert"
	case 4:
		return slices.Delete(out, at, min(len(out), at+1+random.IntN(8))), "delete"
	default:
		end := min(len(out), at+1+random.IntN(64))
		return slices.Insert(out, end, bytes.Clone(out[at:end])...), "repeat"
	}
}
