// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@clyra/core/canonical/json-value';

const MODULE = join(import.meta.dirname, '../../opa');
const BUILD_MS_MAX = 600_000;
const RUN_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 268_435_456;

export type OpaTimes = {
  /** How often each decision came. */
  readonly decisions: Readonly<Record<string, number>>;
  readonly milliseconds: readonly number[];
};

/** OPA's engine, built from its Go module, over the same inputs. Throws where there is no Go or no module. */
export function timeOpa(data: JsonObject, inputs: readonly JsonObject[], rounds: number): OpaTimes {
  const folder = mkdtempSync(join(tmpdir(), 'clyra-opa-'));
  try {
    const program = join(folder, 'opa');
    execFileSync('go', ['build', '-o', program, '.'], { cwd: MODULE, timeout: BUILD_MS_MAX, stdio: 'pipe' });
    writeFileSync(join(folder, 'data.json'), JSON.stringify(data));
    writeFileSync(join(folder, 'inputs.jsonl'), inputs.map((input) => `${JSON.stringify(input)}\n`).join(''));
    const args = [join(MODULE, 'policy.rego'), join(folder, 'data.json'), join(folder, 'inputs.jsonl'), String(rounds)];
    const output = execFileSync(program, args, { timeout: RUN_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX });
    const { decisions, us } = JSON.parse(output.toString('utf8')) as {
      decisions: Record<string, number>;
      us: number[];
    };
    return { decisions, milliseconds: us.map((one) => one / 1_000) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
