// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"slices"
	"strings"
)

// Is says what stands at a path.
type Is uint8

// What can stand at a path.
const (
	File Is = iota
	Folder
	// Other is a link, a pipe or a device.
	Other
)

// Content is what stands at one path of a bundle in memory.
type Content struct {
	Is    Is
	Bytes []byte
}

// Files is a bundle in memory, by path. Folders need no entry of their own.
type Files map[string]Content

type memoryFile struct{ *bytes.Reader }

func (memoryFile) Close() error { return nil }

// OpenFiles judges files in memory by the rules for a folder.
func OpenFiles(files Files) (*Bundle, *Fault) {
	b := &Bundle{memory: files, entries: map[string]entry{}}
	paths := make([]string, 0, len(files))
	for path := range files {
		// Inside what is no folder nothing is found, and folders that may not be there are not entered.
		top, _, inside := strings.Cut(path, "/")
		_, enters := folders[top]
		if content, listed := files[top]; inside && (!enters || listed && content.Is != Folder) {
			path = top
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if len(paths) > maxEntries {
		return nil, &Fault{CodeCount, ""}
	}
	for _, path := range paths {
		if !known(path) {
			return nil, &Fault{CodeUnknown, path}
		}
		content := files[path]
		if fault := b.addEntry(path, content.Is == Folder, content.Is == File, int64(len(content.Bytes))); fault != nil {
			return nil, fault
		}
	}
	if fault := b.checkCounts(); fault != nil {
		return nil, fault
	}
	if fault := b.checkMissing(); fault != nil {
		return nil, fault
	}
	return b, nil
}

// OpenTarBytes judges an archive in memory.
func OpenTarBytes(data []byte) (*Bundle, *Fault) {
	b := &Bundle{tar: bytes.NewReader(data), entries: map[string]entry{}}
	// A reader of bytes fails at no place within them.
	if fault, err := b.listTar(int64(len(data))); fault != nil || err != nil {
		return nil, fault
	}
	return b, nil
}
