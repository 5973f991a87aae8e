// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"clyra.dev/verifiers/go/internal/archive"
	"clyra.dev/verifiers/go/internal/mutate"
)

// write puts a mutation into a folder, so that one can look at it, and prints what a verifier is to be passed.
func write(folder string, mutation mutate.Mutation) error {
	arguments, err := writeFiles(folder, mutation)
	if err == nil {
		fmt.Printf("verify %s\n", strings.Join(arguments, " "))
	}
	return err
}

// writeFiles puts a mutation into a folder and gives the arguments with which a verifier judges it. An error says that no
// folder can hold it: a file may stand where the folder of another must be.
func writeFiles(folder string, mutation mutate.Mutation) ([]string, error) {
	bundle := filepath.Join(folder, "bundle")
	arguments := []string{}
	flat := mutate.Flat(mutation.Case)
	if _, packed := flat["@tar"]; packed {
		bundle += ".tar"
	} else if err := os.MkdirAll(bundle, 0o755); err != nil {
		return nil, err
	}
	for name, content := range flat {
		path := filepath.Join(bundle, filepath.FromSlash(name))
		if own, is := strings.CutPrefix(name, "@"); is {
			path = filepath.Join(folder, own)
			if own == "tar" {
				path = bundle
			} else {
				arguments = append(arguments, "--"+own, path)
			}
		}
		if err := writeContent(path, content); err != nil {
			return nil, err
		}
	}
	if mutation.Case.Head {
		arguments = append(arguments, "--mode", "head")
	}
	return slices.Concat(arguments, []string{bundle}), nil
}

func writeContent(path string, content archive.Content) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch content.Is {
	case archive.Folder:
		return os.MkdirAll(path, 0o755)
	case archive.Other:
		// A link that leads nowhere is neither file nor folder.
		return os.Symlink("nowhere", path)
	default:
		return os.WriteFile(path, content.Bytes, 0o600)
	}
}
