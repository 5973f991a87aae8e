// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/vectors"
)

// suiteCase is a case.json of schemas/vectors/bundles; README.md there says what its members mean.
type suiteCase struct {
	Bundle, Policy, Previous, Disclosures, Mode string
	TrustRoot                                   string `json:"trust_root"`
	Steps                                       []step
	Expect                                      struct {
		ExitCode int `json:"exit_code"`
		Claims   [][3]*string
	}
}

type step struct {
	Op, Name, Folder, Target, Head, Unit, Tail string
	Text                                       *string
	Base64                                     []byte
	From, Remove, Count                        int
	Lines                                      []json.RawMessage
}

func TestConformanceSuite(t *testing.T) {
	root := filepath.Join(vectors.Root(t), "bundles")
	cases, _ := filepath.Glob(filepath.Join(root, "*", "case.json"))
	if len(cases) == 0 {
		t.Skip("schemas/vectors/bundles is not in this tree")
	}
	for _, path := range cases {
		folder := filepath.Dir(path)
		t.Run(filepath.Base(folder), func(t *testing.T) { runCase(t, folder) })
	}
	t.Logf("conformance suite: %d cases", len(cases))
}

func runCase(t *testing.T, folder string) {
	var c suiteCase
	data, err := os.ReadFile(filepath.Join(folder, "case.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string {
		if name == "" {
			return ""
		}
		return filepath.Join(folder, filepath.FromSlash(name))
	}
	bundle := at(c.Bundle)
	if len(c.Steps) > 0 {
		bundle = unpack(t, bundle)
		for _, s := range c.Steps {
			s.apply(t, bundle)
		}
	}
	out := Bundle(Options{
		Bundle: bundle, TrustRoot: at(c.TrustRoot), Policy: at(c.Policy), Previous: at(c.Previous), Disclosures: at(c.Disclosures),
		Head: c.Mode == "head",
	})
	if out.Exit() != c.Expect.ExitCode {
		t.Errorf("exit %d, want %d (%v)", out.Exit(), c.Expect.ExitCode, out.Err)
	}
	for _, want := range c.Expect.Claims {
		result := out.Report.Of(claimOf(t, *want[0]))
		code := ""
		if want[2] != nil {
			code = *want[2]
		}
		if result.Status != report.Status(*want[1]) || result.Code != code {
			t.Errorf("%s is %s %s, want %s %s", *want[0], result.Status, result.Code, *want[1], code)
		}
	}
}

// unpack reads an archive with the verifier's own reader and writes its files into a folder.
func unpack(t *testing.T, path string) string {
	bundle, fault, err := archive.Open(path)
	if err != nil || fault != nil {
		t.Fatal(err, fault)
	}
	defer bundle.Close()
	folder := t.TempDir()
	for _, name := range bundle.Names() {
		data, err := bundle.ReadAll(name)
		if err != nil {
			t.Fatal(err)
		}
		files{name: data}.write(t, folder)
	}
	return folder
}

func (s step) apply(t *testing.T, folder string) {
	t.Helper()
	path := filepath.Join(folder, filepath.FromSlash(s.Name))
	var err error
	switch s.Op {
	case "write":
		data := s.Base64
		if s.Text != nil {
			data = []byte(*s.Text)
		}
		files{s.Name: data}.write(t, folder)
	case "remove":
		err = os.Remove(path)
	case "lines":
		s.replaceLines(t, filepath.Join(folder, "journal.jsonl"))
	case "fill":
		files{s.Name: []byte(s.Head + strings.Repeat(s.Unit, s.Count) + s.Tail)}.write(t, folder)
	case "many":
		for i := range s.Count {
			text := strconv.Itoa(i)
			digest := sha256.Sum256([]byte(text))
			files{s.Folder + "/" + hex.EncodeToString(digest[:]): []byte(text)}.write(t, folder)
		}
	case "symlink":
		_ = os.Remove(path)
		err = os.Symlink(s.Target, path)
	case "fifo":
		_ = os.Remove(path)
		err = syscall.Mkfifo(path, 0o600)
	default:
		err = fmt.Errorf("no such step: %q", s.Op)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s step) replaceLines(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	made := make([]string, 0, len(s.Lines))
	for _, raw := range s.Lines {
		var text string
		var binary struct{ Base64 []byte }
		if json.Unmarshal(raw, &text) != nil {
			if err := json.Unmarshal(raw, &binary); err != nil {
				t.Fatal(err)
			}
			text = string(binary.Base64)
		}
		made = append(made, text)
	}
	lines = slices.Replace(lines, s.From, s.From+s.Remove, made...)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}
