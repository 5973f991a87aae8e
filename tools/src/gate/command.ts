// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** How often a test run that has written its result is asked whether it has gone. */
const POLL_MS = 500;

export type Command = {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly deadlineMs: number;
  /** Once this file exists the command is done, and has `lingerMsMax` to exit by itself. */
  readonly doneFile?: string;
  readonly lingerMsMax?: number;
  /** `capture` keeps standard output for the caller instead of showing it. */
  readonly output: 'show' | 'capture';
};

export type CommandEnd = {
  readonly why: 'exited' | 'deadline' | 'lingered' | 'not-started';
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly durationMs: number;
};

/**
 * Runs one command in its own process group and waits for it. Whatever it started dies with it when a deadline passes
 * or the gate is interrupted, so that a stuck broker cannot outlive the tier which started it.
 */
export function runCommand(command: Command): Promise<CommandEnd> {
  const startedMs = performance.now();
  const child = spawn(command.argv[0], command.argv.slice(1), {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ['ignore', command.output === 'show' ? 'inherit' : 'pipe', 'inherit'],
  });
  let why: CommandEnd['why'] = 'exited';
  const stop = (reason: CommandEnd['why']): void => {
    why = reason;
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const interrupted = (): void => {
    stop('exited');
    process.exit(130);
  };
  const deadline = setTimeout(() => stop('deadline'), command.deadlineMs);
  const linger = watchForLinger(command, () => stop('lingered'));
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    const end = (exitCode: number | null): void => {
      clearTimeout(deadline);
      clearInterval(linger);
      process.removeListener('SIGINT', interrupted);
      process.removeListener('SIGTERM', interrupted);
      const stdout = Buffer.concat(chunks).toString('utf8');
      resolve({ why, exitCode, stdout, durationMs: performance.now() - startedMs });
    };
    child.once('error', () => {
      why = 'not-started';
      end(null);
    });
    child.once('close', end);
  });
}

function watchForLinger(command: Command, stop: () => void): NodeJS.Timeout | undefined {
  const { doneFile, lingerMsMax } = command;
  if (doneFile === undefined || lingerMsMax === undefined) return undefined;
  let doneAtMs: number | undefined;
  return setInterval(() => {
    if (doneAtMs === undefined) doneAtMs = existsSync(doneFile) ? performance.now() : undefined;
    else if (performance.now() - doneAtMs > lingerMsMax) stop();
  }, POLL_MS);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group ended between the decision and the signal.
  }
}
