// SPDX-License-Identifier: Apache-2.0

package mutate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
)

// values are the JSON values that a token change can take the place of; what they become is JSON again.
var (
	numbers  = regexp.MustCompile(`[:,\[](-?[0-9]+)[,}\]]`)
	hexTexts = regexp.MustCompile(`"([0-9a-f]{32}|[0-9a-f]{64})"`)
	words    = regexp.MustCompile(`:"([a-z][a-z0-9._-]{1,40})"`)
	literals = regexp.MustCompile(`[:,\[](true|false|null)[,}\]]`)
	members  = regexp.MustCompile(`,"[a-z_]+":("[^"\\]*"|-?[0-9]+|true|false|null)`)
	names    = regexp.MustCompile(`[,{]"([a-z][a-z0-9_]*)":`)
)

// changeText changes one token of a text, or moves its lines.
func changeText(random *rand.Rand, text []byte) ([]byte, string) {
	lines := bytes.SplitAfter(text, []byte("\n"))
	if len(lines) > 2 && random.IntN(8) == 0 {
		return moveLines(random, lines[:len(lines)-1])
	}
	at := random.IntN(len(lines))
	changed, what := changeToken(random, lines[at])
	lines = slices.Clone(lines)
	lines[at] = changed
	return bytes.Join(lines, nil), fmt.Sprintf("%s at line %d", what, at+1)
}

func moveLines(random *rand.Rand, lines [][]byte) ([]byte, string) {
	at := random.IntN(len(lines) - 1)
	switch random.IntN(3) {
	case 0:
		return bytes.Join(slices.Delete(slices.Clone(lines), at, at+1), nil), fmt.Sprintf("drop line %d", at+1)
	case 1:
		return bytes.Join(slices.Insert(slices.Clone(lines), at, lines[at]), nil), fmt.Sprintf("repeat line %d", at+1)
	default:
		moved := slices.Clone(lines)
		moved[at], moved[at+1] = moved[at+1], moved[at]
		return bytes.Join(moved, nil), fmt.Sprintf("swap line %d", at+1)
	}
}

// place is one match's first group.
func place(random *rand.Rand, pattern *regexp.Regexp, text []byte) (from, to int, ok bool) {
	found := pattern.FindAllSubmatchIndex(text, -1)
	if len(found) == 0 {
		return 0, 0, false
	}
	match := found[random.IntN(len(found))]
	return match[2], match[3], true
}

func changeToken(random *rand.Rand, text []byte) ([]byte, string) {
	for range 8 {
		switch random.IntN(6) {
		case 0:
			if from, to, ok := place(random, numbers, text); ok {
				return splice(text, from, to, otherNumber(random, string(text[from:to]))), "number"
			}
		case 1:
			if from, to, ok := place(random, hexTexts, text); ok {
				at := from + random.IntN(to-from)
				return splice(text, at, at+1, string("0123456789abcdef"[random.IntN(16)])), "hex"
			}
		case 2:
			if from, to, ok := place(random, words, text); ok {
				return splice(text, from, to, otherWord(random, text, string(text[from:to]))), "word"
			}
		case 3:
			if from, to, ok := place(random, literals, text); ok {
				return splice(text, from, to, []string{"true", "false", "null", "0", `""`, "[]", "{}"}[random.IntN(7)]), "literal"
			}
		case 4:
			if found := members.FindAllIndex(text, -1); len(found) > 0 {
				match := found[random.IntN(len(found))]
				return splice(text, match[0], match[1], ""), "member left out"
			}
		default:
			if _, to, ok := place(random, names, text); ok {
				return splice(text, to, to, string("abz09_"[random.IntN(6)])), "name"
			}
		}
	}
	return rawChange(random, text)
}

func splice(text []byte, from, to int, by string) []byte {
	return slices.Concat(text[:from], []byte(by), text[to:])
}

func otherNumber(random *rand.Rand, text string) string {
	value, _ := strconv.ParseInt(text, 10, 64)
	choices := []int64{value + 1, value - 1, 0, 1, -1, 1<<53 - 1, value * 2, value + 86_400_000, value - 60_001, int64(random.IntN(1 << 20))}
	choice := choices[random.IntN(len(choices))]
	return strconv.FormatInt(min(max(choice, -(1<<53-1)), 1<<53-1), 10)
}

// otherWord takes another word of the same text, so that kinds, decisions and sources get mixed up.
func otherWord(random *rand.Rand, text []byte, word string) string {
	if from, to, ok := place(random, words, text); ok && random.IntN(3) > 0 {
		return string(text[from:to])
	}
	common := []string{"allow", "block", "hold", "decided", "recorded", "transaction", "watermark", "gap", "run.closed", "window.closed",
		"tenant.opened", "policy.activated", "change.requested", "done", "matched", "unattributed", "acme", "crm", "x"}
	if random.IntN(2) == 0 {
		return common[random.IntN(len(common))]
	}
	return word + "x"
}
