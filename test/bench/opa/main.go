// SPDX-License-Identifier: Apache-2.0

// Command opa evaluates a Rego policy over the inputs of a file, one JSON value a line, and prints the time of each
// evaluation in microseconds as one JSON list. The engine is the library that OPA's own server uses, in the same
// process and prepared once: the fastest way to ask it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: opa POLICY.rego DATA.json INPUTS.jsonl ROUNDS")
	}
	rounds, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	data, err := readJSON(args[1])
	if err != nil {
		return err
	}
	inputs, err := readInputs(args[2])
	if err != nil {
		return err
	}
	source, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	query, err := rego.New(
		rego.Query("data.clyra.decision"),
		rego.Module("policy.rego", string(source)),
		rego.Store(inmem.NewFromObject(data)),
	).PrepareForEval(ctx)
	if err != nil {
		return err
	}
	return report(ctx, query, inputs, rounds)
}

func report(ctx context.Context, query rego.PreparedEvalQuery, inputs []any, rounds int) error {
	decisions := map[string]int{}
	times := make([]float64, 0, rounds*len(inputs))
	for round := 0; round < rounds; round++ {
		for _, input := range inputs {
			start := time.Now()
			result, err := query.Eval(ctx, rego.EvalInput(input))
			took := time.Since(start)
			if err != nil {
				return err
			}
			if len(result) != 1 {
				return fmt.Errorf("the policy has no decision for an input")
			}
			decisions[fmt.Sprint(result[0].Expressions[0].Value)]++
			// The first tenth warms up the engine.
			if round >= rounds/10 {
				times = append(times, float64(took.Nanoseconds())/1000)
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"decisions": decisions, "us": times})
}

func readJSON(path string) (map[string]any, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	value := map[string]any{}
	return value, json.Unmarshal(bytes, &value)
}

func readInputs(path string) ([]any, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	inputs := []any{}
	for lines.Scan() {
		var input any
		if err := json.Unmarshal(lines.Bytes(), &input); err != nil {
			return nil, err
		}
		inputs = append(inputs, input)
	}
	return inputs, lines.Err()
}
