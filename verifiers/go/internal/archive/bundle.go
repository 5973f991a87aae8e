// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// entry is one file: of a folder a path of its own, in a USTAR file a range of bytes.
type entry struct {
	kind   kind
	size   int64
	offset int64
}

// Bundle is the files of a bundle.
type Bundle struct {
	folder  string
	memory  Files
	tar     io.ReaderAt
	closer  io.Closer
	entries map[string]entry
	names   []string
}

// Open lists the files. An error is one of reading; a fault says why the files are no bundle.
func Open(path string) (*Bundle, *Fault, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	b := &Bundle{entries: map[string]entry{}}
	var fault *Fault
	switch {
	case info.IsDir():
		b.folder = path
		fault, err = b.listFolder()
	case info.Mode().IsRegular() && strings.HasSuffix(path, ".tar"):
		var file *os.File
		if file, err = os.Open(path); err == nil {
			b.tar, b.closer = file, file
			fault, err = b.listTar(info.Size())
		}
	default:
		err = &os.PathError{Op: "verify", Path: path, Err: os.ErrInvalid}
	}
	if err != nil || fault != nil {
		b.Close()
		return nil, fault, err
	}
	return b, nil, nil
}

// Close gives back what is open.
func (b *Bundle) Close() {
	if b.closer != nil {
		b.closer.Close()
	}
}

// Size is the number of bytes of a file; ok is false when there is none.
func (b *Bundle) Size(name string) (size int64, ok bool) {
	found, ok := b.entries[name]
	return found.size, ok
}

// Open gives the bytes of one file.
func (b *Bundle) Open(name string) (io.ReadCloser, error) {
	found, ok := b.entries[name]
	if !ok {
		return nil, os.ErrNotExist
	}
	if b.tar != nil {
		return io.NopCloser(io.NewSectionReader(b.tar, found.offset, found.size)), nil
	}
	if b.memory != nil {
		return memoryFile{bytes.NewReader(b.memory[name].Bytes)}, nil
	}
	return openPlain(filepath.Join(b.folder, filepath.FromSlash(name)))
}

// Names of all files.
func (b *Bundle) Names() []string { return b.names }

// ReadAll reads one small file whole.
func (b *Bundle) ReadAll(name string) ([]byte, error) {
	file, err := b.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	limit := maxBytes[b.entries[name].kind]
	return io.ReadAll(io.LimitReader(file, limit+1))
}

// ReadTail reads the last bytes of a file, at most limit.
func (b *Bundle) ReadTail(name string, limit int64) ([]byte, error) {
	file, err := b.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size := b.entries[name].size
	if skip := size - limit; skip > 0 {
		seeker, ok := file.(io.Seeker)
		if !ok {
			return b.tailOfTar(name, limit)
		}
		if _, err := seeker.Seek(skip, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(file, limit))
}

func (b *Bundle) tailOfTar(name string, limit int64) ([]byte, error) {
	found := b.entries[name]
	data := make([]byte, limit)
	_, err := b.tar.ReadAt(data, found.offset+found.size-limit)
	return data, err
}

// In lists the names in one of the folders, ascending.
func (b *Bundle) In(folder string) []string {
	var names []string
	for _, name := range b.names {
		if strings.HasPrefix(name, folder+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (b *Bundle) add(name string, e entry) {
	b.entries[name] = e
	b.names = append(b.names, name)
}

// checkCounts holds the number of files of a kind against its limit.
func (b *Bundle) checkCounts() *Fault {
	counts := map[kind]int{}
	for _, name := range b.names {
		of := b.entries[name].kind
		if counts[of]++; maxCount[of] > 0 && counts[of] > maxCount[of] {
			return &Fault{CodeCount, name}
		}
	}
	return nil
}

// checkMissing looks for what every bundle and every export has.
func (b *Bundle) checkMissing() *Fault {
	for _, name := range []string{"manifest.json", "manifest.dsse.json", "checkpoint", "journal.jsonl"} {
		if _, ok := b.entries[name]; !ok {
			return &Fault{CodeMissing, name}
		}
	}
	return nil
}
