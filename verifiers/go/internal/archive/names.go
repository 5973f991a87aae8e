// SPDX-License-Identifier: Apache-2.0

// Package archive finds the files of a bundle in a folder or a USTAR file and lets nothing else through: no link, no path
// that leads elsewhere, no second file of one name.
package archive

import (
	"strings"

	"clyra.dev/verifiers/go/internal/shape"
)

// kind is the number of a file in docs/spec/bundle.md §1; it is also its place in a USTAR file.
type kind int

const (
	unknown kind = iota
	manifest
	envelope
	checkpoint
	bundleLog
	cosignature
	timestamp
	replay
	verifyPage
	artifact
	journal
)

var fixedNames = map[string]kind{
	"manifest.json": manifest, "manifest.dsse.json": envelope, "checkpoint": checkpoint, "bundle-log.checkpoint": bundleLog,
	"replay.dsse.json": replay, "VERIFY.md": verifyPage, "journal.jsonl": journal,
}

var maxBytes = map[kind]int64{
	manifest: 1 << 20, envelope: 1 << 20, checkpoint: 16_384, bundleLog: 16_384, cosignature: 1_024, timestamp: 16_384,
	replay: 1 << 20, verifyPage: 1 << 20, artifact: 1 << 30, journal: 1 << 40,
}

var maxCount = map[kind]int{cosignature: 31, timestamp: 16, artifact: 4_096}

// folders hold files that are named by a digest.
var folders = map[string]struct {
	kind   kind
	suffix string
}{
	"artifacts": {artifact, ""}, "cosignatures": {cosignature, ""}, "times": {timestamp, ".tsr"},
}

func kindOf(name string) kind {
	if known, ok := fixedNames[name]; ok {
		return known
	}
	folder, rest, found := strings.Cut(name, "/")
	place, known := folders[folder]
	if !found || !known {
		return unknown
	}
	digest, ok := strings.CutSuffix(rest, place.suffix)
	var hash [32]byte
	if !ok || !shape.DecodeHex(hash[:], []byte(digest)) {
		return unknown
	}
	return place.kind
}

// Fault is what makes a set of files no bundle.
type Fault struct {
	Code string
	File string
}

// The codes of faults.
const (
	CodeUnknown = "CLY_BUNDLE_FILE_UNKNOWN"
	CodeKind    = "CLY_BUNDLE_FILE_KIND"
	CodeSize    = "CLY_BUNDLE_FILE_SIZE"
	CodeCount   = "CLY_BUNDLE_FILE_COUNT"
	CodeMissing = "CLY_BUNDLE_FILE_MISSING"
	CodeHeader  = "CLY_TAR_HEADER"
	CodeEnd     = "CLY_TAR_END"
)

const maxEntries = 8_192
