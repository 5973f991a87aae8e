// SPDX-License-Identifier: Apache-2.0

// Package vectors gives tests the files of schemas/vectors, which all implementations share. encoding/json is good enough
// for them: they are ours.
package vectors

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Root is the folder schemas/vectors of the repository.
func Root(t testing.TB) string {
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(folder, "schemas", "vectors")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("schemas/vectors is in no folder above")
		}
		folder = parent
	}
}

// File reads one JSON file.
func File[T any](t testing.TB, name string) (value T) {
	data, err := os.ReadFile(filepath.Join(Root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

// Lines reads a file with one JSON value a line.
func Lines[T any](t testing.TB, name string) (values []T) {
	data, err := os.ReadFile(filepath.Join(Root(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.SplitSeq(bytes.TrimSpace(data), []byte("\n")) {
		var value T
		if err := json.Unmarshal(line, &value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		values = append(values, value)
	}
	return values
}
