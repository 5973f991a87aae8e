// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { LogFields, Logger } from '@clyra/core/ports/logger';

export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Where lines go: standard output, a file stream, or an array in a test. */
export type LogSink = { write(text: string): unknown };

export type LoggerOptions = {
  readonly service: string;
  /** `json`: one object a line, for machines. `pretty`: for a person who looks on. */
  readonly format: LogFormat;
  readonly sink: LogSink;
  readonly clock: Clock;
};

type Level = 'info' | 'warn' | 'error';

/** A field with one of the line's own names is written with a `_` behind it: it must not replace the line's. */
const OWN_NAMES: ReadonlySet<string> = new Set(['at', 'level', 'service', 'message']);

export function createLogger(options: LoggerOptions): Logger {
  const format = options.format === 'json' ? jsonLine : prettyLine;
  const write = (level: Level, message: string, fields: LogFields | undefined): void => {
    const at = new Date(options.clock.nowMs()).toISOString();
    options.sink.write(format({ at, level, service: options.service, message }, fields ?? {}));
  };
  return {
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}

type Head = { readonly at: string; readonly level: Level; readonly service: string; readonly message: string };

function jsonLine(head: Head, fields: LogFields): string {
  const line: Record<string, unknown> = { ...head };
  for (const [name, value] of Object.entries(fields)) line[OWN_NAMES.has(name) ? `${name}_` : name] = value;
  return `${JSON.stringify(line)}\n`;
}

/** `12:03:04.567 WARN  intake  message  name=value`. A message never spans lines: control characters are escaped. */
function prettyLine(head: Head, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `  ${name}=${typeof value === 'string' ? oneWord(value) : String(value)}`);
  const level = head.level.toUpperCase().padEnd(5);
  return `${head.at.slice(11, 23)} ${level} ${head.service.padEnd(8)} ${oneLine(head.message)}${pairs.join('')}\n`;
}

function oneWord(value: string): string {
  return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
}

function oneLine(message: string): string {
  const quoted = JSON.stringify(message);
  return quoted.includes('\\') ? quoted : message;
}
