// SPDX-License-Identifier: Apache-2.0

/** A position in a PostgreSQL log as a number (docs/spec/journal.md §2): `16/B374D848`. */
export function lsnOf(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
