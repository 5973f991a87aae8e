// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of the verifier.
package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"

	"clyra.dev/verifiers/go/internal/report"
	"clyra.dev/verifiers/go/internal/verify"
)

const usage = `usage: clyra-verify verify [--trust-root F] [--policy P] [--mode head|full] [--previous CHECKPOINT]
                           [--disclosures D] [--json] BUNDLE
       clyra-verify --batch     one JSON array of such arguments a line in, one JSON object a line out
exit: 0 valid, 1 invalid, 2 malformed, 3 unsupported, 4 policy not met, 5 cannot be read or wrong usage
`

var errUsage = errors.New("wrong usage")

// Run is the command; it gives the exit code.
func Run(args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) > 0 && args[0] == "--batch" {
		return batch(in, out)
	}
	if len(args) == 0 || args[0] != "verify" {
		fmt.Fprint(errs, usage)
		return report.ExitIO
	}
	options, asJSON, err := parse(args[1:])
	if err != nil {
		fmt.Fprintf(errs, "%v\n%s", err, usage)
		return report.ExitIO
	}
	outcome := verify.Bundle(options)
	if asJSON {
		_, err = out.Write(append(JSON(outcome, options), '\n'))
	} else {
		_, err = io.WriteString(out, Text(outcome, options))
	}
	if outcome.Err != nil {
		fmt.Fprintf(errs, "cannot read: %v\n", outcome.Err)
	}
	// Who reads no further (`| head`) has seen enough: the verdict stands. An answer that was lost is none.
	if err != nil && !errors.Is(err, syscall.EPIPE) && outcome.Exit() == report.ExitValid {
		fmt.Fprintf(errs, "cannot write: %v\n", err)
		return report.ExitIO
	}
	return outcome.Exit()
}

// parse reads the arguments behind "verify".
func parse(args []string) (options verify.Options, asJSON bool, err error) {
	values := map[string]*string{
		"--trust-root": &options.TrustRoot, "--policy": &options.Policy, "--previous": &options.Previous,
		"--disclosures": &options.Disclosures, "--mode": new(string),
	}
	for i := 0; i < len(args); i++ {
		switch into, known := values[args[i]]; {
		case known && i+1 < len(args):
			i++
			*into = args[i]
		case args[i] == "--json":
			asJSON = true
		case len(args[i]) > 0 && args[i][0] != '-' && options.Bundle == "":
			options.Bundle = args[i]
		default:
			return options, asJSON, fmt.Errorf("%w: %q", errUsage, args[i])
		}
	}
	switch mode := *values["--mode"]; mode {
	case "", "full":
	case "head":
		options.Head = true
	default:
		return options, asJSON, fmt.Errorf("%w: mode %q", errUsage, mode)
	}
	if options.Bundle == "" {
		return options, asJSON, fmt.Errorf("%w: no bundle", errUsage)
	}
	return options, asJSON, nil
}

const maxBatchLine = 1 << 20

// batch answers one verification a line, so that a million cost no million processes.
func batch(in io.Reader, out io.Writer) int {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), maxBatchLine)
	for lines.Scan() {
		var args []string
		if err := json.Unmarshal(lines.Bytes(), &args); err != nil {
			return report.ExitIO
		}
		answer := answer{Claims: [][3]any{}, ExitCode: report.ExitIO}
		if options, _, err := parse(args); err == nil {
			outcome := verify.Bundle(options)
			answer.Claims, answer.ExitCode = claimRows(outcome), outcome.Exit()
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return report.ExitIO
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return report.ExitIO
		}
	}
	return report.ExitValid
}

type answer struct {
	Claims   [][3]any `json:"claims"`
	ExitCode int      `json:"exit_code"`
}

func claimRows(outcome *verify.Outcome) [][3]any {
	rows := make([][3]any, 0, int(report.Disclosure)+1)
	for claim := report.Integrity; claim <= report.Disclosure; claim++ {
		result := outcome.Report.Of(claim)
		row := [3]any{claim.String(), string(result.Status), nil}
		if result.Code != "" {
			row[2] = result.Code
		}
		rows = append(rows, row)
	}
	return rows
}
