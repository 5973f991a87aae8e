// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { ClyraError } from '@clyra/core/kernel/error';
import { startStack } from './stack.ts';
import { type ExtraListener, STACK_PARTS, type StackOptions, type StackPart } from './stack-config.ts';
import { stackStatus } from './stack-status.ts';
import { stopStack, wipeStack } from './stack-stop.ts';

const USAGE = `usage: main up|down|wipe|status [--data DIR] [--port-base N] [--parts kafka,registry,postgres]
            [--listener NAME:PORT:ADVERTISED_PORT]... [--owner-pid PID [--wipe-with-owner]] [--json]
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: '.clyra' },
    'port-base': { type: 'string' },
    parts: { type: 'string', default: STACK_PARTS.join(',') },
    listener: { type: 'string', multiple: true, default: [] },
    'owner-pid': { type: 'string' },
    'wipe-with-owner': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function startOptions(): StackOptions {
  const { data, parts, listener } = values;
  const portBase = values['port-base'];
  const ownerPid = values['owner-pid'];
  return {
    dataDir: data,
    parts: parts.split(',') as StackPart[],
    extraListeners: listener.map(parseListener),
    wipeWithOwner: values['wipe-with-owner'],
    onProgress: say,
    ...(portBase === undefined ? {} : { portBase: Number(portBase) }),
    ...(ownerPid === undefined ? {} : { ownerPid: Number(ownerPid) }),
  };
}

function parseListener(text: string): ExtraListener {
  const [name = '', port, advertisedPort] = text.split(':');
  return { name, port: Number(port), advertisedPort: Number(advertisedPort) };
}

function printStatus(): void {
  const status = stackStatus(values.data);
  if (values.json) {
    process.stdout.write(`${JSON.stringify(status ?? null)}\n`);
    return;
  }
  if (status === undefined) process.stdout.write('no stack runs here\n');
  for (const { part, running, port, pid } of status?.parts ?? []) {
    process.stdout.write(`${part}: ${running ? `running on port ${port}, process ${pid}` : 'not running'}\n`);
  }
}

const commands: Readonly<Record<string, () => Promise<void>>> = {
  up: async () => {
    await startStack(startOptions());
    printStatus();
  },
  down: () => stopStack(values.data),
  wipe: () => wipeStack(values.data),
  status: async () => printStatus(),
};

const command = commands[positionals[0] ?? ''];
try {
  if (command === undefined) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
  } else {
    await command();
  }
} catch (error) {
  if (!(error instanceof ClyraError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}
