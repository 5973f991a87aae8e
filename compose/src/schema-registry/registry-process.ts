// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { launch } from '../process/launch.ts';
import { ownProgram } from '../process/own-program.ts';
import { LOCAL_ADDRESS } from '../process/port-holder.ts';
import type { ProcessIdentity } from '../process/process-identity.ts';
import { waitReady } from '../process/wait-ready.ts';
import type { StackConfig } from '../stack-config.ts';
import type { StackPaths } from '../stack-paths.ts';

const PROBE_DEADLINE_MS = 2_000;

/** Starts the registry's own process and waits until it has read its topic (else CLY_STACK_REGISTRY). */
export async function startRegistry(
  config: StackConfig,
  { paths, onLaunched }: { paths: StackPaths; onLaunched: (identity: ProcessIdentity) => void },
): Promise<void> {
  const { program, args } = ownProgram('schema-registry/main');
  const outputFile = join(paths.logs, 'schema-registry.log');
  const identity = await launch({
    program,
    args: [
      ...args,
      ...['--kafka', `${LOCAL_ADDRESS}:${config.ports.kafka}`],
      ...['--port', String(config.ports.registry), '--start-deadline-ms', String(config.startDeadlineMs)],
    ],
    cwd: paths.dataDir,
    outputFile,
  });
  onLaunched(identity);
  await waitReady({
    title: 'the schema registry',
    code: 'CLY_STACK_REGISTRY',
    identity,
    deadlineMs: config.startDeadlineMs,
    probe: () => answers(`http://${LOCAL_ADDRESS}:${config.ports.registry}/subjects`),
    logFiles: [outputFile],
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_DEADLINE_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
