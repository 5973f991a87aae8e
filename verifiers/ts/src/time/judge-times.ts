// SPDX-License-Identifier: Apache-2.0
import type { Failures } from '../report/failures.ts';
import type { Standing } from '../report/standing.ts';
import type { TimeAuthority, TrustRoot } from '../trust/trust-root.ts';
import { judgeToken } from './judge-token.ts';
import { TokenError } from './token-error.ts';

export interface JudgedTimes {
  /** By then all of it existed, as outside operators say; null when none says so. */
  readonly trustedMs: number | null;
  readonly standing: Standing;
}

/** Judges the tokens of a bundle, given in ascending order of their names (trust.md §6). */
export function judgeTimes(
  tokens: readonly { readonly file: string; readonly bytes: Buffer }[],
  by: {
    readonly trustRoot: TrustRoot | null;
    readonly sealed: Buffer;
    /** Operator of the log key: it cannot be its own outside. */
    readonly insideOperator: string | null;
    readonly cutMs: number | null;
  },
  failures: Failures,
): JudgedTimes {
  if (by.trustRoot === null || tokens.length === 0) {
    return { trustedMs: null, standing: absent(tokens.length === 0 ? 'CLY_TIME_ABSENT' : 'CLY_TRUST_ROOT_ABSENT') };
  }
  const lowest = new Map<string, number>();
  for (const { file, bytes } of tokens) {
    const judged = judgeOne(
      { file, bytes, sealed: by.sealed },
      { authorities: by.trustRoot.timeAuthorities, cutMs: by.cutMs },
      failures,
    );
    if (judged !== null) {
      const { operator } = judged.authority;
      lowest.set(operator, Math.min(judged.upperBoundMs, lowest.get(operator) ?? Number.POSITIVE_INFINITY));
    }
  }
  const outside = [...lowest].filter(([operator]) => operator !== by.insideOperator).map(([, bound]) => bound);
  const trustedMs = outside.sort((left, right) => left - right)[by.trustRoot.thresholds.tsa - 1] ?? null;
  const isGood = failures.first('time') === undefined;
  return { trustedMs: isGood ? trustedMs : null, standing: standingOf(trustedMs, outside.length, lowest.size) };
}

function judgeOne(
  token: { readonly file: string; readonly bytes: Buffer; readonly sealed: Buffer },
  by: { readonly authorities: readonly TimeAuthority[]; readonly cutMs: number | null },
  failures: Failures,
): ReturnType<typeof judgeToken> | null {
  const { file, bytes, sealed } = token;
  try {
    return judgeToken(bytes, sealed, by);
  } catch (error) {
    if (!(error instanceof TokenError)) {
      throw error;
    }
    const failure = {
      claim: 'time',
      code: error.code,
      message: `${file} ${error.message}`,
      location: { file },
    } as const;
    if (error.code === 'CLY_TIME_ALGORITHM') {
      failures.addUnsupported(failure);
    } else if (error.code !== 'CLY_TSA_UNTRUSTED') {
      failures.add(failure);
    }
    return null;
  }
}

function standingOf(trustedMs: number | null, outsideCount: number, allCount: number): Standing {
  if (trustedMs !== null) {
    return { status: 'PASS', code: null, message: `all of it existed by ${new Date(trustedMs).toISOString()}` };
  }
  if (outsideCount > 0) {
    return { status: 'PARTIAL', code: 'CLY_TIME_QUORUM', message: 'too few outside operators stamped it' };
  }
  return allCount > 0
    ? { status: 'PARTIAL', code: 'CLY_TIME_INSIDE', message: 'only the operator of the log itself stamped it' }
    : absent('CLY_TSA_UNTRUSTED');
}

function absent(code: string): Standing {
  return { status: 'ABSENT', code, message: 'nothing from outside bounds the time' };
}
