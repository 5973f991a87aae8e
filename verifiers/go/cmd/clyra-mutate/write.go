// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/mutate"
)

// write puts a mutation into a folder, so that one can look at it, and prints what a verifier is to be passed.
func write(folder string, mutation mutate.Mutation) error {
	line := ""
	for name, content := range mutate.Flat(mutation.Case) {
		path := filepath.Join(folder, "bundle", filepath.FromSlash(name))
		if own, is := strings.CutPrefix(name, "@"); is {
			path = filepath.Join(folder, own)
			if own == "tar" {
				path = filepath.Join(folder, "bundle.tar")
			} else {
				line += fmt.Sprintf(" --%s %s", own, path)
			}
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if content.Is != archive.File {
			line += fmt.Sprintf(" (and no file at %s)", name)
			continue
		}
		if err := os.WriteFile(path, content.Bytes, 0o600); err != nil {
			return err
		}
	}
	if mutation.Case.Head {
		line += " --mode head"
	}
	fmt.Printf("verify%s %s\n", line, filepath.Join(folder, "bundle"))
	return nil
}
