// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"clyra.dev/verifiers/go/internal/archive"
)

// step is one change to the good bundle.
type step struct {
	Op, Name, Folder, Target, Head, Unit, Tail string
	Text                                       *string
	Base64                                     []byte
	From, Remove, Count                        int
	Lines                                      []json.RawMessage
}

func (s step) apply(files archive.Files) error {
	put := func(name string, data []byte) { files[name] = archive.Content{Bytes: data} }
	switch s.Op {
	case "write":
		data := s.Base64
		if s.Text != nil {
			data = []byte(*s.Text)
		}
		put(s.Name, data)
	case "remove":
		delete(files, s.Name)
	case "lines":
		data, err := s.replaceLines(string(files[s.Name].Bytes))
		if err != nil {
			return err
		}
		put(s.Name, data)
	case "fill":
		put(s.Name, []byte(s.Head+strings.Repeat(s.Unit, s.Count)+s.Tail))
	case "many":
		for i := range s.Count {
			text := strconv.Itoa(i)
			digest := sha256.Sum256([]byte(text))
			put(s.Folder+"/"+hex.EncodeToString(digest[:]), []byte(text))
		}
	case "symlink", "fifo":
		files[s.Name] = archive.Content{Is: archive.Other}
	default:
		return fmt.Errorf("no such step: %q", s.Op)
	}
	return nil
}

func (s step) replaceLines(text string) ([]byte, error) {
	lines := strings.Split(text, "\n")
	made := make([]string, 0, len(s.Lines))
	for _, raw := range s.Lines {
		var line string
		var binary struct{ Base64 []byte }
		if json.Unmarshal(raw, &line) != nil {
			if err := json.Unmarshal(raw, &binary); err != nil {
				return nil, err
			}
			line = string(binary.Base64)
		}
		made = append(made, line)
	}
	lines = slices.Replace(lines, s.From, s.From+s.Remove, made...)
	return []byte(strings.Join(lines, "\n")), nil
}
