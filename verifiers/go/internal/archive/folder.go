// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// openPlain refuses to follow a link that was put there after the listing.
func openPlain(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
}

// listFolder takes the entries of the folder and of its three folders as one list of paths, ascending by bytes, and says
// what is wrong with the first at fault.
func (b *Bundle) listFolder() (*Fault, error) {
	paths, err := readNames(b.folder, "", maxEntries)
	if err != nil {
		return nil, err
	}
	if paths == nil {
		return &Fault{CodeCount, ""}, nil
	}
	for _, folder := range []string{"artifacts", "cosignatures", "times"} {
		info, err := os.Lstat(filepath.Join(b.folder, folder))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			continue
		}
		if err != nil {
			return nil, err
		}
		inside, err := readNames(filepath.Join(b.folder, folder), folder+"/", maxEntries-len(paths))
		if err != nil {
			return nil, err
		}
		if inside == nil {
			return &Fault{CodeCount, folder}, nil
		}
		paths = append(paths, inside...)
	}
	slices.Sort(paths)
	for _, path := range paths {
		if fault, err := b.addPath(path); fault != nil || err != nil {
			return fault, err
		}
	}
	if fault := b.checkCounts(); fault != nil {
		return fault, nil
	}
	return b.checkMissing(), nil
}

// readNames lists a folder; nil without an error means that it holds more than the limit.
func readNames(path, prefix string, limit int) ([]string, error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	names := make([]string, 0, 16)
	for {
		batch, err := folder.Readdirnames(1_024)
		for _, name := range batch {
			names = append(names, prefix+name)
		}
		if len(names) > limit {
			return nil, nil
		}
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (b *Bundle) addPath(path string) (*Fault, error) {
	if !known(path) {
		return &Fault{CodeUnknown, path}, nil
	}
	info, err := os.Lstat(filepath.Join(b.folder, filepath.FromSlash(path)))
	if err != nil {
		return nil, err
	}
	return b.addEntry(path, info.IsDir(), info.Mode().IsRegular(), info.Size()), nil
}

func known(path string) bool {
	_, isFolder := folders[path]
	return isFolder || kindOf(path) != unknown
}

// addEntry takes a known path with what was found there.
func (b *Bundle) addEntry(path string, isFolder, isFile bool, size int64) *Fault {
	_, wantsFolder := folders[path]
	of := kindOf(path)
	switch {
	case wantsFolder && isFolder:
		return nil
	case wantsFolder || !isFile:
		return &Fault{CodeKind, path}
	case size > maxBytes[of]:
		return &Fault{CodeSize, path}
	}
	b.add(path, entry{kind: of, size: size})
	return nil
}
