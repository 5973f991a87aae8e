// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import { EXIT } from './exit-codes.ts';
import { runCli } from './run-cli.ts';

let isAnswerLost = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code }: NodeJS.ErrnoException) => {
    // Who reads no further (`| head`) has seen enough: the command ends as it would have.
    if (code !== 'EPIPE') isAnswerLost = true;
  });
}
process.on('exit', (code) => {
  if (isAnswerLost && code === EXIT.done) process.exitCode = EXIT.unavailable;
});

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  random: systemRandom,
});
