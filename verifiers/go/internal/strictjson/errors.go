// SPDX-License-Identifier: Apache-2.0

package strictjson

import "fmt"

// Error says why a text is refused and at which byte.
type Error struct {
	Code   string
	Offset int
}

func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Code, e.Offset) }

// The reasons for which a text is refused. Of several faults the one at the lowest byte counts, of those at one byte the
// one that stands first here; UTF-8 is judged before everything else.
const (
	CodeSize      = "CLY_JSON_SIZE"
	CodeUTF8      = "CLY_JSON_UTF8"
	CodeSyntax    = "CLY_JSON_SYNTAX"
	CodeDepth     = "CLY_JSON_DEPTH"
	CodeName      = "CLY_JSON_NAME"
	CodeDuplicate = "CLY_JSON_DUPLICATE"
	CodeOrder     = "CLY_JSON_ORDER"
	CodeNumber    = "CLY_JSON_NUMBER"
	CodeString    = "CLY_JSON_STRING"
	CodeCanonical = "CLY_JSON_CANONICAL"
)
