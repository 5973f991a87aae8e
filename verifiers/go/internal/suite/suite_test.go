// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/vectors"
	"clyra.dev/verifiers/go/internal/verify"
)

// Each case in memory and as files gives what the suite expects.
func TestConformanceSuite(t *testing.T) {
	cases, err := Load(filepath.Join(vectors.Root(t), "bundles"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 200 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			c.check(t, verify.Bundle(c.Options()))
			c.check(t, verify.Bundle(c.asFiles(t)))
		})
	}
	t.Logf("conformance suite: %d cases", len(cases))
}

func (c *Case) check(t *testing.T, out *verify.Outcome) {
	t.Helper()
	if out.Exit() != c.Exit {
		t.Errorf("exit %d, want %d (%v)", out.Exit(), c.Exit, out.Err)
	}
	for _, want := range c.Claims {
		claim, known := report.ClaimByName(want[0])
		result := out.Report.Of(claim)
		if !known || string(result.Status) != want[1] || result.Code != want[2] {
			t.Errorf("%s is %s %s, want %s %s", want[0], result.Status, result.Code, want[1], want[2])
		}
	}
}

// asFiles writes the case into a folder.
func (c *Case) asFiles(t *testing.T) verify.Options {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if data == nil {
			return ""
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	options := verify.Options{
		TrustRoot: write("trust-root.json", c.TrustRoot), Policy: write("policy.json", c.Policy), Head: c.Head,
		Previous: write("previous", c.Previous), Disclosures: write("disclosures.jsonl", c.Disclosures),
	}
	if c.Files == nil {
		options.Bundle = write("bundle.tar", c.Tar)
		return options
	}
	options.Bundle = filepath.Join(folder, "bundle")
	for name, content := range c.Files {
		if content.Is == archive.Other {
			write("bundle/"+name, []byte{})
			path := filepath.Join(options.Bundle, filepath.FromSlash(name))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			make := func() error { return syscall.Mkfifo(path, 0o600) }
			if strings.Contains(c.Name, "symlink") {
				make = func() error { return os.Symlink("manifest.json", path) }
			}
			if err := make(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write("bundle/"+name, append([]byte{}, content.Bytes...))
	}
	return options
}
