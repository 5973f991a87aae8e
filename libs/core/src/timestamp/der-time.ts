// SPDX-License-Identifier: Apache-2.0
import type { DerValue } from './der-reader.ts';
import { stampError } from './stamp-error.ts';

const UTC_TIME = 0x17;
const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{0,8}[1-9]))?Z$/;
const DAY_MS = 86_400_000;

/** Days from 1970-01-01 to a date of the Gregorian calendar; a year begins in March, so that the leap day is its last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

function monthDays(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Milliseconds since 1970 of `YYYYMMDDhhmmss[.f]Z`, a fraction rounded up. Throws CLY_TIME_STAMP. */
export function timeOf(text: string): number {
  const match = TIME.exec(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (match ?? []).slice(1, 7).map(Number);
  const isTime =
    match !== null &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= monthDays(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59;
  if (!isTime) throw stampError(`has a time that is none: ${text.slice(0, 40)}`);
  const fraction = (match?.[7] ?? '').padEnd(9, '0');
  const clockMs = ((hour * 60 + minute) * 60 + second) * 1_000;
  return daysFromCivil(year, month, day) * DAY_MS + clockMs + Math.ceil(Number(fraction) / 1_000_000);
}

/** Of a certificate: two-digit years are 1950 to 2049 (RFC 5280 §4.1.2.5.1). */
export function timeValue({ tag, content }: DerValue): number {
  const text = Buffer.from(content).toString('latin1');
  if (tag !== UTC_TIME) return timeOf(text);
  return timeOf(`${Number(text.slice(0, 2)) >= 50 ? '19' : '20'}${text}`);
}

/** `YYYYMMDDhhmmss[.fff]Z` as DER writes it: no zero at the end of a fraction. */
export function timeText(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  // The inverse of daysFromCivil: 146,097 days are 400 years.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const clockMs = ms - days * DAY_MS;
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(clockMs / 1_000);
  const fraction = String(clockMs % 1_000)
    .padStart(3, '0')
    .replace(/0+$/, '');
  const clock = `${two(Math.floor(seconds / 3_600))}${two(Math.floor(seconds / 60) % 60)}${two(seconds % 60)}`;
  return `${String(year).padStart(4, '0')}${two(month)}${two(day)}${clock}${fraction === '' ? '' : `.${fraction}`}Z`;
}
