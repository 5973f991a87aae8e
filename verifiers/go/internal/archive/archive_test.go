// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var digestA, digestB = strings.Repeat("a", 64), strings.Repeat("b", 64)

var needed = []string{"manifest.json", "manifest.dsse.json", "checkpoint", "bundle-log.checkpoint"}

func tarOf(names ...string) []byte {
	var out bytes.Buffer
	for _, name := range names {
		out.Write(tarMember(name, []byte(name)))
	}
	out.Write(make([]byte, 2*blockBytes))
	return out.Bytes()
}

func tarMember(name string, data []byte) []byte {
	header := tarHeader(name, int64(len(data)))
	member := append(header[:], data...)
	return append(member, make([]byte, padded(int64(len(data)))-int64(len(data)))...)
}

func goodTar(artifacts ...string) []byte {
	return tarOf(append(append(append([]string{}, needed...), artifacts...), "journal.jsonl")...)
}

func faultOf(t *testing.T, path string) string {
	t.Helper()
	bundle, fault, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if fault != nil {
		return fault.Code
	}
	bundle.Close()
	return ""
}

func patch(data []byte, at int, text string) []byte {
	copied := bytes.Clone(data)
	copy(copied[at:], text)
	return copied
}

func TestTar(t *testing.T) {
	good := goodTar("artifacts/"+digestA, "artifacts/"+digestB)
	for _, test := range []struct {
		name string
		data []byte
		code string
	}{
		{"good", good, ""},
		{"an absolute path", goodTar("/artifacts/" + digestA), CodeUnknown},
		{"a path upwards", goodTar("artifacts/../manifest.json"), CodeUnknown},
		{"another case", goodTar("artifacts/" + strings.ToUpper(digestA)), CodeUnknown},
		{"a file twice", goodTar("artifacts/"+digestA, "artifacts/"+digestA), CodeHeader},
		{"out of order", goodTar("artifacts/"+digestB, "artifacts/"+digestA), CodeHeader},
		{"the journal first", tarOf(append([]string{"journal.jsonl"}, needed...)...), CodeHeader},
		{"a symbolic link", patch(good, 156, "2"), CodeHeader},
		{"a hard link", patch(good, 156, "1"), CodeHeader},
		{"a device", patch(good, 156, "3"), CodeHeader},
		{"a pax header", patch(good, 156, "x"), CodeHeader},
		{"a time", patch(good, 136, "00000000001"), CodeHeader},
		{"an owner's name", patch(good, 265, "root"), CodeHeader},
		{"a base-256 size", patch(good, 124, "\x80"), CodeHeader},
		{"no journal", tarOf(needed...), CodeMissing},
		{"cut short", good[:len(good)-1], CodeEnd},
		{"one block of zeros", good[:len(good)-blockBytes], CodeEnd},
		{"bytes behind the end", append(bytes.Clone(good), 0), CodeEnd},
		{"padding that is not zero", patch(good, blockBytes+20, "x"), CodeEnd},
		{"nothing", nil, CodeMissing},
		{"too many cosignatures", manyCosignatures(32), CodeCount},
	} {
		path := filepath.Join(t.TempDir(), "bundle.tar")
		if err := os.WriteFile(path, test.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := faultOf(t, path); got != test.code {
			t.Errorf("%s: %q, want %q", test.name, got, test.code)
		}
	}
}

func manyCosignatures(count int) []byte {
	names := append([]string{}, needed...)
	for i := range count {
		names = append(names, "cosignatures/"+strings.Repeat("0", 62)+string("0123456789abcdef"[i/16])+string("0123456789abcdef"[i%16]))
	}
	return tarOf(append(names, "journal.jsonl")...)
}

func TestFolder(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(folder string) error
		code string
	}{
		{"good", func(string) error { return nil }, ""},
		{"an empty folder of artifacts", func(f string) error { return os.Mkdir(f+"/artifacts", 0o755) }, ""},
		{"another file", func(f string) error { return os.WriteFile(f+"/x", nil, 0o600) }, CodeUnknown},
		{"another folder", func(f string) error { return os.Mkdir(f+"/x", 0o755) }, CodeUnknown},
		{"a folder named like a file", func(f string) error { return os.Mkdir(f+"/VERIFY.md", 0o755) }, CodeKind},
		{"a file named like a folder", func(f string) error { return os.WriteFile(f+"/times", nil, 0o600) }, CodeKind},
		{"a link", func(f string) error { return os.Symlink("manifest.json", f+"/VERIFY.md") }, CodeKind},
		{"a link as folder", func(f string) error { return os.Symlink(".", f+"/artifacts") }, CodeKind},
		{"a large checkpoint", func(f string) error { return os.WriteFile(f+"/checkpoint", make([]byte, 16_385), 0o600) }, CodeSize},
		{"no checkpoint", func(f string) error { return os.Remove(f + "/checkpoint") }, CodeMissing},
		{"an artifact with a bad name", func(f string) error {
			if err := os.Mkdir(f+"/artifacts", 0o755); err != nil {
				return err
			}
			return os.WriteFile(f+"/artifacts/x", nil, 0o600)
		}, CodeUnknown},
	} {
		folder := t.TempDir()
		for _, name := range append(append([]string{}, needed...), "journal.jsonl") {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := test.make(folder); err != nil {
			t.Fatal(err)
		}
		if got := faultOf(t, folder); got != test.code {
			t.Errorf("%s: %q, want %q", test.name, got, test.code)
		}
	}
}

// Whatever bytes a tar file has, listing it ends without a panic.
func FuzzTar(f *testing.F) {
	f.Add(goodTar("artifacts/" + digestA))
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "bundle.tar")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if bundle, _, err := Open(path); err == nil && bundle != nil {
			bundle.Close()
		}
	})
}
