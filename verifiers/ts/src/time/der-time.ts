// SPDX-License-Identifier: Apache-2.0
import { DerError, type Element, TAG } from './der.ts';

const UTC_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{0,8}[1-9]))?Z$/;

/** Milliseconds of a time of a certificate, or of a token with a fraction, which rounds down. Throws DerError. */
export function readTime({ tag, content }: Element): number {
  const text = content.toString('latin1');
  const match =
    tag === TAG.utcTime ? UTC_TIME.exec(text) : tag === TAG.generalizedTime ? GENERALIZED_TIME.exec(text) : null;
  if (match === null) {
    throw new DerError('not a time');
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  // RFC 5280 §4.1.2.5.1: two digits from 50 on are of the last century.
  const fullYear = tag === TAG.utcTime ? year + (year >= 50 ? 1_900 : 2_000) : year;
  const ms = Date.UTC(2_000, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  date.setUTCFullYear(fullYear, month - 1, day);
  const isReal =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!isReal) {
    throw new DerError('a time that does not exist');
  }
  return date.getTime();
}

/** The fraction of a second of a token's time as nanoseconds. */
export function fractionNanosOf({ content }: Element): number {
  const match = GENERALIZED_TIME.exec(content.toString('latin1'));
  return Number((match?.[7] ?? '').padEnd(9, '0'));
}
