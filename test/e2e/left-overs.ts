// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { portAnswers } from '@clyra/testing/port-answers';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Command lines of living processes that name this text: a data folder that nothing else has in its arguments. */
export async function processesNaming(words: string): Promise<readonly string[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,stat=,args='], { maxBuffer: OUTPUT_BYTES_MAX });
  // A zombie is gone; only its parent has not asked for it yet.
  return stdout.split('\n').filter((line) => line.includes(words) && !/^\s*\d+\s+Z/.test(line));
}

/** Those of the ports on which something answers on this machine. */
export async function answeringPorts(ports: readonly number[]): Promise<readonly number[]> {
  const answers = await Promise.all(ports.map(portAnswers));
  return ports.filter((_, index) => answers[index] === true);
}
