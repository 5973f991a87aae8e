// SPDX-License-Identifier: Apache-2.0

package strictjson

import (
	"strings"
	"testing"
)

func codeOf(text string, grammar Grammar) string {
	var doc Doc
	if err := doc.Parse([]byte(text), grammar); err != nil {
		return err.Code
	}
	return ""
}

func TestRecordGrammar(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	for _, test := range []struct{ name, text, code string }{
		{"a record", `{"a":1,"b":{"c":["x",null,true,false]}}`, ""},
		{"the exceptional names", `{"a":{"$commit":"x"},"b":{"$leaf":"y"}}`, ""},
		{"nothing", ``, CodeSyntax},
		{"an array", `[]`, CodeSyntax},
		{"a byte order mark", "\xef\xbb\xbf{}", CodeSyntax},
		{"white space", `{"a": 1}`, CodeSyntax},
		{"a line feed behind", "{}\n", CodeSyntax},
		{"a second value", `{}{}`, CodeSyntax},
		{"a trailing comma", `{"a":1,}`, CodeSyntax},
		{"a cut object", `{"a":1`, CodeSyntax},
		{"a cut string", `{"a":"x`, CodeSyntax},
		{"a cut name", `{"a`, CodeSyntax},
		{"a cut literal", `{"a":tru`, CodeSyntax},
		{"a control byte in a string", "{\"a\":\"\n\"}", CodeSyntax},
		{"a control byte in a name", "{\"a\n\":1}", CodeSyntax},
		{"an unknown escape", `{"a":"\x41"}`, CodeSyntax},
		{"a cut escape", `{"a":"\u00`, CodeSyntax},
		{"bad UTF-8 behind a syntax fault", "{]\xff", CodeUTF8},
		{"an overlong slash", "{\"a\":\"\xc0\xaf\"}", CodeUTF8},
		{"a surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", CodeUTF8},
		{"names out of order", `{"b":1,"a":2}`, CodeOrder},
		{"a name twice", `{"a":1,"a":2}`, CodeDuplicate},
		{"a name twice, another between", `{"a":1,"b":1,"a":2}`, CodeDuplicate},
		{"a needlessly escaped name", `{"\u0061":1}`, CodeCanonical},
		{"an escaped name", `{"a\n":1}`, CodeName},
		{"an upper-case name", `{"A":1}`, CodeName},
		{"a digit first", `{"1":1}`, CodeName},
		{"an underscore first", `{"__proto__":1}`, CodeName},
		{"an empty name", `{"":1}`, CodeName},
		{"another dollar name", `{"$ref":1}`, CodeName},
		{"a name of 64 bytes", `{"` + strings.Repeat("a", 64) + `":1}`, ""},
		{"a name of 65 bytes", `{"` + strings.Repeat("a", 65) + `":1}`, CodeName},
		{"the largest integers", `{"a":9007199254740991,"b":-9007199254740991}`, ""},
		{"2^53", `{"a":9007199254740992}`, CodeNumber},
		{"a float", `{"a":1.5}`, CodeNumber},
		{"an exponent", `{"a":1e2}`, CodeNumber},
		{"minus zero", `{"a":-0}`, CodeNumber},
		{"a leading zero", `{"a":01}`, CodeNumber},
		{"a plus", `{"a":+1}`, CodeSyntax},
		{"a lone surrogate", `{"a":"\ud800"}`, CodeString},
		{"a low surrogate first", `{"a":"\udc00\ud800"}`, CodeString},
		{"an escaped pair", `{"a":"\ud83d\ude00"}`, CodeCanonical},
		{"a noncharacter", "{\"a\":\"\uffff\"}", CodeString},
		{"a noncharacter of the arabic block", "{\"a\":\"\ufdd0\"}", CodeString},
		{"a noncharacter beyond the first plane", "{\"a\":\"\U0001ffff\"}", CodeString},
		{"an escaped noncharacter", `{"a":"\ufdd0"}`, CodeString},
		{"text beyond ASCII", "{\"a\":\"é€\U0001f600\ufffd\"}", ""},
		{"the escapes", `{"a":"\"\\\b\f\n\r\t\u0000\u001f"}`, ""},
		{"an escaped slash", `{"a":"\/"}`, CodeCanonical},
		{"an escaped letter", `{"a":"\u0041"}`, CodeCanonical},
		{"a long form of \\n", `{"a":"\u000a"}`, CodeCanonical},
		{"upper-case hex", `{"a":"\u001F"}`, CodeCanonical},
		{"depth 32", deep(31), ""},
		{"depth 33", deep(32), CodeDepth},
		{"depth 100,000", `{"a":` + strings.Repeat("[", 100_000), CodeSize},
		{"65,535 bytes", `{"a":"` + strings.Repeat("x", 65_527) + `"}`, ""},
		{"65,536 bytes", `{"a":"` + strings.Repeat("x", 65_528) + `"}`, CodeSize},
	} {
		if code := codeOf(test.text, Record); code != test.code {
			t.Errorf("%s: %q, want %q", test.name, code, test.code)
		}
	}
}

func TestFreeForm(t *testing.T) {
	free := Grammar{MaxBytes: 1000, MaxDepth: 8, FreeForm: true}
	for text, want := range map[string]string{
		" {\n\"b\" : [ 1 , 2 ] , \"a\" : \"A\" } ":    "",
		`{"b":1,"a":"\u0041"}`:                        CodeCanonical,
		`{"b":1,"a":2,"b":3}`:                         CodeDuplicate,
		`{"a":1,"b":{"y":1,"x":{"q":1,"p":2,"q":3}}}`: CodeDuplicate,
		`{"b":1,"a":2.5}`:                             CodeNumber,
		`{"a":[[[[[[[[1]]]]]]]]}`:                     CodeDepth,
		`{"a":1} x`:                                   CodeSyntax,
	} {
		if code := codeOf(text, free); code != want {
			t.Errorf("%s: %q, want %q", text, code, want)
		}
	}
}

func TestReading(t *testing.T) {
	var doc Doc
	text := `{"a":"x\ny","b":[1,-2,{"c":null}],"d":true,"e":{}}`
	if err := doc.Parse([]byte(text), Record); err != nil {
		t.Fatal(err)
	}
	root := doc.Root()
	if got, ok := root.Get("a").Text(); !ok || got != "x\ny" {
		t.Errorf("a is %q", got)
	}
	if root.Get("a").TextIs("x") || !root.Get("a").TextIs("x\ny") {
		t.Error("TextIs does not unescape")
	}
	if got := string(root.Get("b").Raw()); got != `[1,-2,{"c":null}]` {
		t.Errorf("b is %s", got)
	}
	var numbers []int64
	for element := range root.Get("b").Each {
		if number, ok := element.Int(); ok {
			numbers = append(numbers, number)
		}
	}
	if len(numbers) != 2 || numbers[0] != 1 || numbers[1] != -2 || root.Get("b").Len() != 3 {
		t.Errorf("numbers are %v", numbers)
	}
	if value, ok := root.Get("d").Bool(); !ok || !value {
		t.Error("d is not true")
	}
	if root.Get("f").Present() || root.Get("a").Get("x").Present() || root.Get("e").Len() != 0 {
		t.Error("something absent is present")
	}
	if got := string(AppendCanonical(nil, root)); got != text {
		t.Errorf("canonical form is %s", got)
	}
}

// Whatever bytes come: no panic, and what is accepted as a record is its own canonical form.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":[1,-2,"\u001f\n€"],"b":{"$leaf":"0"}}`, `{"a":1e400}`, `{"a":"\ud83d\ude00"}`, `{"a":`, "{\"\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var doc Doc
		if err := doc.Parse(data, Record); err != nil {
			return
		}
		if again := AppendCanonical(nil, doc.Root()); string(again) != string(data) {
			t.Fatalf("accepted %q, whose canonical form is %q", data, again)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	line := []byte(`{"append_time":1795860109986,"change":{"body":{"event_id":"01a2219a-9a9e-7958-8df4-307c89e92889","intake":{"epoch":1795860107,"instance":"intake-1"},"intake_at":1795860109982,"kind":"source.registered","payload_digest":"c8f79d263d307aa2a54b6af3289a81712b92195482f66b620bdd2b6957d8f592","tenant":"acme"},"sig":null},"v":0}`)
	var doc Doc
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if err := doc.Parse(line, Record); err != nil {
			b.Fatal(err)
		}
	}
}
