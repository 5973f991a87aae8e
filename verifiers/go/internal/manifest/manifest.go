// SPDX-License-Identifier: Apache-2.0

// Package manifest reads manifest.json and the signed statement about it.
package manifest

import (
	"crypto/sha256"
	"math/bits"
	"regexp"
	"strings"

	"clyra.dev/verifiers/go/internal/shape"
	"clyra.dev/verifiers/go/internal/strictjson"
)

// File is the name of the manifest in a bundle.
const File = "manifest.json"

// Artifact is one entry of the list of artifacts.
type Artifact struct {
	Kind   string
	Digest [32]byte
	Hex    string
	Size   int64
}

// Name is the artifact's place in the bundle.
func (a Artifact) Name() string { return "artifacts/" + a.Hex }

// Scope is what an export leaves in place.
type Scope struct {
	Run     bool
	RunID   string
	NextSeq int64
	Head    [32]byte
}

// Manifest is what later checks need of it; members that only repeat what the files say are compared as text.
type Manifest struct {
	Doc    *strictjson.Doc
	Digest [32]byte
	Export bool
	Of     [32]byte
	Scope  Scope

	Tenant, Origin, StreamText string
	Stream                     [16]byte
	Start, End                 int64
	Root                       [32]byte
	Frontier                   [][32]byte
	Partition                  int64
	OpeningState               [32]byte
	OpeningLedger              [32]byte
	ClosingLedger              [32]byte
	JournalDigest              [32]byte
	JournalSize                int64
	SegmentLines               int64
	Segments                   [][32]byte
	Artifacts                  []Artifact
	TrustRoot                  [32]byte
	Engine                     int64
	Separation                 string
	LogNumber                  int64
	LogFrontier                [][32]byte
}

// Fault is what makes a manifest unreadable.
type Fault struct {
	Code, Member string
	Byte         int
	// OtherVersion says that it is of a version or has a profile that v0 does not know, which is no fault of form.
	OtherVersion bool
}

var (
	anyVersion  = regexp.MustCompile(`^clyra/(bundle|export)/v[0-9]+$`)
	tenantText  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	originText  = regexp.MustCompile(`^[!-*,-~]{1,512}$`)
	scopeOfRun  = shape.Object(m("head", shape.Digest), m("kind", shape.OneOf("run")), m("next_seq", shape.Count), m("run_id", shape.Text))
	scopeOfSome = shape.Object(m("kind", shape.OneOf("selection")))
)

func scopeRule(c *shape.Checker, v strictjson.Value, path, name string) {
	if v.Get("kind").TextIs("selection") {
		scopeOfSome(c, v, path, name)
		return
	}
	scopeOfRun(c, v, path, name)
}

// IsExport says, before anything else is known, whether the text claims to be the manifest of an export.
func IsExport(data []byte) bool {
	var doc strictjson.Doc
	if doc.Parse(data, strictjson.Grammar{MaxBytes: 1 << 20, MaxDepth: strictjson.MaxDepth}) != nil {
		return false
	}
	format, _ := doc.Root().Get("format").Text()
	return strings.HasPrefix(format, "clyra/export/")
}

// Parse reads a manifest.
func Parse(data []byte) (*Manifest, *Fault) {
	doc := &strictjson.Doc{}
	if err := doc.Parse(data, strictjson.Grammar{MaxBytes: 1 << 20, MaxDepth: strictjson.MaxDepth}); err != nil {
		return nil, &Fault{Code: err.Code, Byte: err.Offset}
	}
	root := doc.Root()
	format, _ := root.Get("format").Text()
	if anyVersion.MatchString(format) && !strings.HasSuffix(format, "/v0") {
		return nil, &Fault{OtherVersion: true, Member: "format"}
	}
	man := &Manifest{Doc: doc, Digest: sha256.Sum256(data), Export: format == "clyra/export/v0"}
	var c shape.Checker
	if man.Export {
		exportRule(&c, root, "", "")
	} else {
		bundleRule(&c, root, "", "")
	}
	if c.OK() {
		man.read(&c, root)
	}
	if c.OK() {
		man.checkRules(&c, root)
	}
	if !c.OK() {
		return nil, &Fault{Code: "CLY_MANIFEST_SHAPE", Member: c.Path(), Byte: -1}
	}
	for profile := range root.Get("profiles").Each {
		if !profile.TextIs("def/v0") && !profile.TextIs("pef/v0") {
			return nil, &Fault{OtherVersion: true, Member: "profiles"}
		}
	}
	return man, nil
}

func (man *Manifest) read(c *shape.Checker, root strictjson.Value) {
	text := func(name string) string { value, _ := root.Get(name).Text(); return value }
	man.Tenant, man.Origin, man.Separation, man.StreamText = text("tenant"), text("origin"), text("separation"), text("stream_id")
	man.Stream = c.ID(root.Get("stream_id"), "", "stream_id")
	man.Start, _ = root.Get("range").Get("start").Int()
	man.End, _ = root.Get("range").Get("end").Int()
	man.Root = c.Hash(root.Get("root"), "", "root")
	man.Frontier = hashes(c, root.Get("frontier"))
	man.Partition, _ = root.Get("cut").Get("partition").Int()
	file := root.Get("journal")
	man.JournalDigest = c.Hash(file.Get("sha256"), "journal", "sha256")
	man.JournalSize, _ = file.Get("size").Int()
	man.SegmentLines, _ = file.Get("segment_lines").Int()
	man.Segments = hashes(c, file.Get("segments"))
	man.TrustRoot = c.Hash(root.Get("trust_root"), "", "trust_root")
	for entry := range root.Get("artifacts").Each {
		artifact := Artifact{Digest: c.Hash(entry.Get("sha256"), "artifacts", "sha256")}
		artifact.Kind, _ = entry.Get("kind").Text()
		artifact.Hex, _ = entry.Get("sha256").Text()
		artifact.Size, _ = entry.Get("size").Int()
		man.Artifacts = append(man.Artifacts, artifact)
	}
	if man.Export {
		export := root.Get("export")
		man.Of = c.Hash(export.Get("of"), "export", "of")
		if scope := export.Get("scope"); scope.Get("kind").TextIs("run") {
			man.Scope.Run = true
			man.Scope.RunID, _ = scope.Get("run_id").Text()
			man.Scope.NextSeq, _ = scope.Get("next_seq").Int()
			man.Scope.Head = c.Hash(scope.Get("head"), "export.scope", "head")
		}
		return
	}
	man.OpeningState, _ = c.HashOrNull(root.Get("opening_state"), "", "opening_state")
	man.OpeningLedger, _ = c.HashOrNull(root.Get("opening_ledger"), "", "opening_ledger")
	man.ClosingLedger = c.Hash(root.Get("closing_ledger"), "", "closing_ledger")
	man.Engine, _ = root.Get("engine").Int()
	man.LogNumber, _ = root.Get("bundle_log").Get("number").Int()
	man.LogFrontier = hashes(c, root.Get("bundle_log").Get("frontier"))
}

func hashes(c *shape.Checker, v strictjson.Value) [][32]byte {
	list := make([][32]byte, 0, v.Len())
	for element := range v.Each {
		list = append(list, c.Hash(element, "", ""))
	}
	return list
}

// SegmentLinesFor is how many lines a segment has in a journal of that many.
func SegmentLinesFor(lines int64) int64 {
	per := int64(64)
	for lines/per >= 8_192 {
		per *= 2
	}
	return per
}

func (man *Manifest) checkRules(c *shape.Checker, root strictjson.Value) {
	lines, _ := root.Get("journal").Get("lines").Int()
	fault := func(bad bool, member string) {
		if bad {
			c.Fault("", member)
		}
	}
	fault(!tenantText.MatchString(man.Tenant), "tenant")
	fault(!originText.MatchString(man.Origin) || !strings.HasSuffix(man.Origin, "/"+man.Tenant), "origin")
	fault(man.Start >= man.End, "range")
	fault(bits.OnesCount64(uint64(man.Start)) != len(man.Frontier), "frontier")
	fault(lines != man.End-man.Start, "journal.lines")
	per := SegmentLinesFor(lines)
	fault(man.SegmentLines != per, "journal.segment_lines")
	fault(int64(len(man.Segments)) != (lines+per-1)/per, "journal.segments")
	for i := 1; i < len(man.Artifacts); i++ {
		fault(man.Artifacts[i-1].Hex >= man.Artifacts[i].Hex, "artifacts")
	}
	if man.Export {
		return
	}
	for _, name := range []string{"opening_state", "opening_ledger", "previous_manifest"} {
		fault(root.Get(name).IsNull() != (man.Start == 0), name)
	}
	fault(bits.OnesCount64(uint64(man.LogNumber)) != len(man.LogFrontier), "bundle_log.frontier")
}
