// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';

export const STACK_PARTS = ['kafka', 'registry', 'postgres'] as const;
export type StackPart = (typeof STACK_PARTS)[number];

export type StackPorts = {
  readonly kafka: number;
  /** The KRaft controller's own listener; clients never use it. */
  readonly kafkaController: number;
  readonly registry: number;
  readonly postgres: number;
};

/**
 * One more address of the broker. A fault test listens on `advertisedPort` with its proxy and forwards to `port`,
 * so that clients which bootstrap through the proxy also stay behind it.
 */
export type ExtraListener = { readonly name: string; readonly port: number; readonly advertisedPort: number };

/** How far the broker's Java compiles what it runs often. */
export type KafkaCompilers = 'first' | 'all';

export type StackProgress = (line: string) => void;

export type StackOptions = {
  /** Everything the stack keeps: data, logs, secrets, state. Default `.clyra` in the working directory. */
  readonly dataDir?: string;
  /** Puts all ports at base, base + 1, ... Default: 29092, 29093, 28081 and 25432. */
  readonly portBase?: number;
  readonly ports?: Partial<StackPorts>;
  /** Default: all. The registry needs kafka, which is then started too. */
  readonly parts?: readonly StackPart[];
  readonly extraListeners?: readonly ExtraListener[];
  /** Stop the stack when this process is gone, however it ended. Undefined: the stack runs until it is stopped. */
  readonly ownerPid?: number;
  /** Then also remove its data: what tests leave behind is of no use to anybody. */
  readonly wipeWithOwner?: boolean;
  readonly kafkaHeapMb?: number;
  /**
   * `first`: the broker starts in half the time, and a request then costs it about twice as much. `all`: what a broker
   * that stays needs. Default: `all` for a stack that runs until it is stopped, `first` for one that ends with its owner.
   */
  readonly kafkaCompilers?: KafkaCompilers;
  /** For the whole start, without the first download of the broker's jars. */
  readonly startDeadlineMs?: number;
  /** Where the broker's jars are kept between stacks; one folder per user. */
  readonly cacheDir?: string;
  readonly onProgress?: StackProgress;
};

export type StackConfig = {
  readonly dataDir: string;
  readonly ports: StackPorts;
  readonly parts: readonly StackPart[];
  readonly extraListeners: readonly ExtraListener[];
  readonly ownerPid: number | undefined;
  readonly wipeWithOwner: boolean;
  readonly kafkaHeapMb: number;
  readonly kafkaCompilers: KafkaCompilers;
  readonly startDeadlineMs: number;
  readonly cacheDir: string;
  readonly onProgress: StackProgress;
};

export const DEFAULT_DATA_DIR = '.clyra';
export const DEFAULT_PORTS: StackPorts = {
  kafka: 29_092,
  kafkaController: 29_093,
  registry: 28_081,
  postgres: 25_432,
};

const PORT_MAX = 65_535;
const LISTENER_NAME = /^[A-Z][A-Z0-9_]*$/;
const RESERVED_LISTENERS = new Set(['BROKER', 'CONTROLLER']);

/** Fills in what is not given. Rejects with CLY_STACK_CONFIG what cannot work. */
export function stackConfig(options: StackOptions): StackConfig {
  const ports = { ...portsFrom(options.portBase), ...options.ports };
  const extraListeners = options.extraListeners ?? [];
  checkPorts(ports, extraListeners);
  checkListenerNames(extraListeners);
  return {
    dataDir: resolve(options.dataDir ?? DEFAULT_DATA_DIR),
    ports,
    parts: withNeeded(options.parts ?? STACK_PARTS),
    extraListeners,
    ownerPid: options.ownerPid,
    wipeWithOwner: options.wipeWithOwner ?? false,
    kafkaHeapMb: options.kafkaHeapMb ?? 512,
    kafkaCompilers: options.kafkaCompilers ?? (options.ownerPid === undefined ? 'all' : 'first'),
    startDeadlineMs: options.startDeadlineMs ?? 60_000,
    cacheDir: options.cacheDir ?? cacheDirFromEnvironment(),
    onProgress: options.onProgress ?? (() => {}),
  };
}

function portsFrom(base: number | undefined): StackPorts {
  if (base === undefined) return DEFAULT_PORTS;
  return { kafka: base, kafkaController: base + 1, registry: base + 2, postgres: base + 3 };
}

function withNeeded(parts: readonly StackPart[]): readonly StackPart[] {
  for (const part of parts) {
    if (!STACK_PARTS.includes(part)) throw badConfig(`there is no part ${part}: choose from ${STACK_PARTS.join(', ')}`);
  }
  return STACK_PARTS.filter((part) => parts.includes(part) || (part === 'kafka' && parts.includes('registry')));
}

function checkPorts(ports: StackPorts, extraListeners: readonly ExtraListener[]): void {
  const used = [...Object.values(ports), ...extraListeners.map(({ port }) => port)];
  for (const port of [...used, ...extraListeners.map(({ advertisedPort }) => advertisedPort)]) {
    if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) {
      throw badConfig(`port ${port} is not a port: give a whole number from 1 to ${PORT_MAX}`);
    }
  }
  const repeated = used.find((port, index) => used.indexOf(port) !== index);
  if (repeated !== undefined) throw badConfig(`port ${repeated} is given twice: each part needs its own`);
}

function checkListenerNames(extraListeners: readonly ExtraListener[]): void {
  const seen = new Set(RESERVED_LISTENERS);
  for (const { name } of extraListeners) {
    if (!LISTENER_NAME.test(name)) throw badConfig(`listener name ${name} must be capital letters, digits and _`);
    if (seen.has(name)) throw badConfig(`listener name ${name} is taken: choose another`);
    seen.add(name);
  }
}

function badConfig(message: string): ClyraError {
  return new ClyraError('CLY_STACK_CONFIG', message, { retry: 'never' });
}

function cacheDirFromEnvironment(): string {
  return process.env['CLYRA_CACHE_DIR'] ?? join(homedir(), '.clyra');
}

/** What the environment says about the host's tools. */
export function hostEnvironment(): { readonly javaHome: string | undefined; readonly path: readonly string[] } {
  return {
    javaHome: process.env['JAVA_HOME'],
    path: (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== ''),
  };
}
