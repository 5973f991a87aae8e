// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import process from 'node:process';

const children = new Set<ChildProcess>();
let armed = false;

/** A child that a test started ends with the test's process at the latest; one listener serves them all. */
export function killAtExit(child: ChildProcess): void {
  if (!armed) {
    armed = true;
    process.once('exit', () => {
      for (const one of children) one.kill('SIGKILL');
    });
  }
  children.add(child);
  child.once('exit', () => children.delete(child));
}
