// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';

export type ProgramResult = {
  /** null when it was stopped at the deadline or never ran. */
  readonly exitCode: number | null;
  /** Both streams, the last `OUTPUT_CHARS_MAX` characters. */
  readonly output: string;
};

export type ProgramRequest = {
  readonly program: string;
  readonly args: readonly string[];
  readonly deadlineMs: number;
  readonly cwd?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
};

const OUTPUT_CHARS_MAX = 64 * 1024;

/** Runs a program to its end. It never rejects: what went wrong is in the result. */
export function runProgram(request: ProgramRequest): Promise<ProgramResult> {
  return new Promise((resolve) => {
    let output = '';
    const add = (chunk: string): void => {
      output = (output + chunk).slice(-OUTPUT_CHARS_MAX);
    };
    const child = spawn(request.program, [...request.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: request.deadlineMs,
      killSignal: 'SIGKILL',
      ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
      ...(request.user === undefined ? {} : request.user),
    });
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
    child.once('error', (error) => resolve({ exitCode: null, output: output + error.message }));
    child.once('close', (exitCode) => resolve({ exitCode, output }));
  });
}
