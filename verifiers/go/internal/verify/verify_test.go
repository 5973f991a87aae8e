// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clyra.dev/verifiers/go/internal/report"
)

const trustRootFile = "testdata/trust-root.json"

// files is a bundle in memory.
type files map[string][]byte

func load(t testing.TB, name string) files {
	t.Helper()
	bundle := files{}
	root := filepath.Join("testdata", name)
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		relative, _ := filepath.Rel(root, path)
		bundle[filepath.ToSlash(relative)] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func (f files) clone() files {
	copied := files{}
	for name, data := range f {
		copied[name] = bytes.Clone(data)
	}
	return copied
}

// write puts the bundle into a folder.
func (f files) write(t testing.TB, folder string) string {
	t.Helper()
	for name, data := range f {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func policyFile(t testing.TB, require ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.json")
	text := `{"format":"clyra/verification-policy/v0","name":"test","require":["` + strings.Join(require, `","`) + `"]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var provable = []string{"integrity", "order", "completeness", "authorship", "policy", "reconciliation", "coverage"}

func claimOf(t testing.TB, name string) report.Claim {
	t.Helper()
	claim, ok := report.ClaimByName(name)
	if !ok {
		t.Fatalf("no claim %q", name)
	}
	return claim
}

func TestGoodBundles(t *testing.T) {
	policy := policyFile(t, provable...)
	for _, name := range []string{"first", "second"} {
		for _, head := range []bool{false, true} {
			out := Bundle(Options{Bundle: "testdata/" + name, TrustRoot: trustRootFile, Policy: policy, Head: head})
			if out.Exit() != report.ExitValid {
				failures, _ := out.Report.Failures()
				t.Errorf("%s, head %v: exit %d, %v, %v", name, head, out.Exit(), failures, out.Err)
			}
		}
	}
	out := Bundle(Options{Bundle: "testdata/first", TrustRoot: trustRootFile})
	if out.Exit() != report.ExitPolicyNotMet {
		t.Errorf("without outside time and witnesses the default policy gives exit %d", out.Exit())
	}
}

func TestWithoutTrustRoot(t *testing.T) {
	out := Bundle(Options{Bundle: "testdata/first"})
	if result := out.Report.Of(report.Authorship); result.Status != report.Absent || result.Code != "CLY_TRUST_ROOT_ABSENT" {
		t.Errorf("authorship is %v", result)
	}
	if out.Exit() != report.ExitPolicyNotMet {
		t.Errorf("exit %d", out.Exit())
	}
}

func TestPreviousCheckpoint(t *testing.T) {
	for _, test := range []struct{ previous, code string }{
		{"testdata/first/checkpoint", ""},
		{"testdata/second/checkpoint", "CLY_PREVIOUS_OVERLAP"},
		{"testdata/first/bundle-log.checkpoint", "CLY_PREVIOUS_ORIGIN"},
	} {
		out := Bundle(Options{Bundle: "testdata/second", TrustRoot: trustRootFile, Previous: test.previous})
		if got := out.Report.Of(report.Completeness).Code; got != test.code {
			t.Errorf("%s: %q, want %q", test.previous, got, test.code)
		}
	}
}

// damage changes one thing and says what must be found.
type damage struct {
	name string
	make func(files)
	exit int
	want map[string]string
}

func edit(name, before, after string) func(files) {
	return func(f files) {
		if !bytes.Contains(f[name], []byte(before)) {
			panic(name + " does not hold " + before)
		}
		f[name] = bytes.Replace(f[name], []byte(before), []byte(after), 1)
	}
}

func firstArtifact(f files, holds string) string {
	for name, data := range f {
		if strings.HasPrefix(name, "artifacts/") && bytes.Contains(data, []byte(holds)) {
			return name
		}
	}
	panic("no such artifact")
}

func dropLine(number int) func(files) {
	return func(f files) {
		lines := bytes.SplitAfter(f["journal.jsonl"], []byte("\n"))
		f["journal.jsonl"] = bytes.Join(append(lines[:number-1:number-1], lines[number:]...), nil)
	}
}

var damages = []damage{
	{"a line that is no JSON", edit("journal.jsonl", `"v":0}`, `"v":0]`), 1, map[string]string{"integrity": "CLY_JSON_SYNTAX", "order": "CLY_JOURNAL_UNREADABLE"}},
	{"a name twice", edit("journal.jsonl", `{"append_time":`, `{"append_time":1,"append_time":`), 1, map[string]string{"integrity": "CLY_JSON_DUPLICATE"}},
	{"a member too many", edit("journal.jsonl", `"v":0}`+"\n", `"v":0,"x":1}`+"\n"), 1, map[string]string{"integrity": "CLY_LINE_SHAPE"}},
	{"no final line feed", func(f files) { f["journal.jsonl"] = bytes.TrimSuffix(f["journal.jsonl"], []byte("\n")) }, 1, map[string]string{"integrity": "CLY_LINE_UNTERMINATED"}},
	{"a line of 65,536 bytes", func(f files) {
		f["journal.jsonl"] = append(bytes.Repeat([]byte("x"), 65_536), append([]byte("\n"), f["journal.jsonl"]...)...)
	}, 1, map[string]string{"integrity": "CLY_LINE_TOO_LONG"}},
	{"a line of a megabyte", func(f files) {
		f["journal.jsonl"] = append(bytes.Repeat([]byte("x"), 1<<20), append([]byte("\n"), f["journal.jsonl"]...)...)
	}, 1, map[string]string{"integrity": "CLY_LINE_TOO_LONG"}},
	{"a line left out", dropLine(5), 1, map[string]string{"completeness": "CLY_CHAIN_GAP", "order": "CLY_CHAIN_LINK"}},
	{"the last line left out", func(f files) {
		lines := bytes.SplitAfter(f["journal.jsonl"], []byte("\n"))
		f["journal.jsonl"] = bytes.Join(lines[:len(lines)-2], nil)
	}, 1, map[string]string{"integrity": "CLY_BUNDLE_JOURNAL_DIGEST", "completeness": "CLY_BUNDLE_ROOT"}},
	{"an empty journal", func(f files) { f["journal.jsonl"] = nil }, 1, map[string]string{"integrity": "CLY_BUNDLE_JOURNAL_DIGEST"}},
	{"another decision", edit("journal.jsonl", `"decision":"allow"`, `"decision":"block"`), 1, map[string]string{"authorship": "CLY_SIG_INVALID"}},
	{"other facts", edit("journal.jsonl", `"method":"POST"`, `"method":"GET"`), 1, map[string]string{"integrity": "CLY_LINE_BINDING", "authorship": "CLY_SIG_INVALID"}},
	{"another root", edit("manifest.json", `"root":"`, `"root":"0`), 2, map[string]string{"integrity": "CLY_MANIFEST_SHAPE", "witness": "CLY_CLAIM_NOT_REACHED"}},
	{"another count", edit("manifest.json", `"allow":`, `"allow":1`), 1, map[string]string{"integrity": "CLY_BUNDLE_MANIFEST_MEMBER"}},
	{"another version", edit("manifest.json", `clyra/bundle/v0`, `clyra/bundle/v1`), 3, map[string]string{"integrity": "CLY_BUNDLE_FORMAT"}},
	{"another profile", edit("manifest.json", `"def/v0"`, `"xef/v0"`), 3, map[string]string{"integrity": "CLY_BUNDLE_FORMAT"}},
	{"white space in the manifest", edit("manifest.json", `{`, `{ `), 2, map[string]string{"integrity": "CLY_JSON_SYNTAX"}},
	{"a checkpoint of four lines", edit("checkpoint", "\n\n", "\nx\n\n"), 2, map[string]string{"integrity": "CLY_CHECKPOINT_SHAPE"}},
	{"a size with a leading zero", func(f files) {
		lines := bytes.SplitAfterN(f["checkpoint"], []byte("\n"), 3)
		f["checkpoint"] = bytes.Join([][]byte{lines[0], []byte("0"), lines[1], lines[2]}, nil)
	}, 2, map[string]string{"integrity": "CLY_CHECKPOINT_SHAPE"}},
	{"33 signature lines", func(f files) {
		f["checkpoint"] = append(f["checkpoint"], bytes.Repeat([]byte("— x AAAAAAAA\n"), 32)...)
	}, 2, map[string]string{"integrity": "CLY_CHECKPOINT_SHAPE"}},
	{"an unknown cosignature", func(f files) { f["checkpoint"] = append(f["checkpoint"], "— x AAAAAAAA\n"...) }, 4, map[string]string{"witness": "CLY_WITNESS_UNKNOWN"}},
	{"a key id in the envelope", edit("manifest.dsse.json", `"keyid":""`, `"keyid":"x"`), 2, map[string]string{"integrity": "CLY_DSSE_SHAPE"}},
	{"no signature", edit("manifest.dsse.json", `"signatures":[{`, `"signatures":[],"x":[{`), 2, map[string]string{"integrity": "CLY_DSSE_SHAPE"}},
	{"an extra file", func(f files) { f["extra"] = nil }, 2, map[string]string{"integrity": "CLY_BUNDLE_FILE_UNKNOWN"}},
	{"no journal", func(f files) { delete(f, "journal.jsonl") }, 2, map[string]string{"integrity": "CLY_BUNDLE_FILE_MISSING"}},
	{"no bundle log", func(f files) { delete(f, "bundle-log.checkpoint") }, 2, map[string]string{"integrity": "CLY_BUNDLE_FILE_MISSING"}},
	{"no policy", func(f files) { delete(f, firstArtifact(f, `"guarded":[`)) }, 1, map[string]string{"integrity": "CLY_BUNDLE_ARTIFACT_MISSING", "policy": "CLY_POLICY_MISSING"}},
	{"another ledger of the same size", func(f files) {
		edit(firstArtifact(f, `"kind":"head"`), `"last_offset":1`, `"last_offset":2`)(f)
	}, 1, map[string]string{"integrity": "CLY_BUNDLE_ARTIFACT_DIGEST", "completeness": "CLY_LEDGER_CLOSING"}},
	{"an artifact not listed", func(f files) { f["artifacts/"+strings.Repeat("0", 64)] = []byte("x") }, 1, map[string]string{"integrity": "CLY_BUNDLE_ARTIFACT_UNLISTED"}},
	{"a time-stamp that is none", func(f files) { f["times/"+strings.Repeat("0", 64)+".tsr"] = []byte("x") }, 1, map[string]string{"integrity": "CLY_BUNDLE_TIME_DIGEST", "time": "CLY_TIME_ABSENT"}},
	{"a cosignature under another name", func(f files) { f["cosignatures/"+strings.Repeat("0", 64)] = []byte("— x AAAAAAAA\n") }, 1, map[string]string{"integrity": "CLY_BUNDLE_COSIGNATURE"}},
	{"a certificate of nothing", func(f files) { f["replay.dsse.json"] = []byte("{}") }, 1, map[string]string{"reperformance": "CLY_REPLAY_SHAPE"}},
	{"a manifest of other bytes", edit("manifest.json", `"producer":{"name":"conformance"`, `"producer":{"name":"conformancx"`), 1, map[string]string{"integrity": "CLY_BUNDLE_LOG_AGREEMENT"}},
}

func TestDamages(t *testing.T) {
	good := load(t, "first")
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			bundle := good.clone()
			d.make(bundle)
			out := Bundle(Options{Bundle: bundle.write(t, t.TempDir()), TrustRoot: trustRootFile})
			if out.Err != nil || out.Exit() != d.exit {
				t.Errorf("exit %d, want %d (%v)", out.Exit(), d.exit, out.Err)
			}
			for name, code := range d.want {
				if result := out.Report.Of(claimOf(t, name)); result.Code != code {
					t.Errorf("%s is %s %s, want %s", name, result.Status, result.Code, code)
				}
			}
		})
	}
}

func TestReaderFiles(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		options Options
		exit    int
		code    string
	}{
		{Options{Bundle: "testdata/none"}, 5, "CLY_CLAIM_NOT_REACHED"},
		{Options{Bundle: trustRootFile}, 5, "CLY_CLAIM_NOT_REACHED"},
		{Options{Bundle: "testdata/first", TrustRoot: "testdata/none"}, 5, "CLY_CLAIM_NOT_REACHED"},
		{Options{Bundle: "testdata/first", TrustRoot: bad}, 2, "CLY_TRUST_ROOT_SHAPE"},
		{Options{Bundle: "testdata/first", Policy: bad}, 2, "CLY_VERIFICATION_POLICY_SHAPE"},
		{Options{Bundle: "testdata/first", Previous: bad}, 2, "CLY_CHECKPOINT_SHAPE"},
		{Options{Bundle: "testdata/first", Disclosures: bad}, 2, "CLY_DISCLOSURE_SHAPE"},
	} {
		out := Bundle(test.options)
		if out.Exit() != test.exit || out.Report.Of(report.Integrity).Code != test.code {
			t.Errorf("%+v: exit %d, %q", test.options, out.Exit(), out.Report.Of(report.Integrity).Code)
		}
	}
}

// Whatever bit of a signed file is flipped, the bundle is not valid. In the short run each file's bits are sampled.
func TestBitFlips(t *testing.T) {
	good := load(t, "second")
	policy := policyFile(t, provable...)
	folder := good.write(t, t.TempDir())
	step := 1_009
	flipped := 0
	for name, data := range good {
		if name == "VERIFY.md" {
			continue
		}
		for bit := 0; bit < 8*len(data); bit += step {
			damaged := bytes.Clone(data)
			damaged[bit/8] ^= 1 << (bit % 8)
			path := filepath.Join(folder, filepath.FromSlash(name))
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			out := Bundle(Options{Bundle: folder, TrustRoot: trustRootFile, Policy: policy})
			if out.Exit() != 1 && out.Exit() != 2 && out.Exit() != 3 {
				t.Errorf("bit %d of %s: exit %d", bit, name, out.Exit())
			}
			flipped++
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.FromSlash(name)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d bits flipped", flipped)
}
