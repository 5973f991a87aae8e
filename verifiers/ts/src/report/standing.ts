// SPDX-License-Identifier: Apache-2.0
import type { Judgement } from '../judge-bundle.ts';
import type { Standing } from './conclude.ts';

const PASS = { status: 'PASS', code: null, message: 'holds' } as const;

/** The status of each claim before failures are counted against it. Absent is never PASS. */
export function settleStanding(judgement: Judgement): Standing {
  const notReached = { status: 'ABSENT', code: 'CLY_CLAIM_NOT_REACHED', message: 'was not reached' } as const;
  const reached = judgement.isComplete ? PASS : notReached;
  const isProvisional = judgement.manifest?.reconciliation.state === 'provisional';
  return {
    integrity: reached,
    order: reached,
    completeness: reached,
    authorship:
      judgement.inputs?.trustRoot == null
        ? { status: 'ABSENT', code: 'CLY_TRUST_ROOT_ABSENT', message: 'no trust root was passed' }
        : reached,
    policy: reached,
    reconciliation:
      judgement.isComplete && isProvisional
        ? { status: 'PARTIAL', code: 'CLY_RECONCILE_PROVISIONAL', message: 'a source was behind the last outcome' }
        : reached,
    reperformance: { status: 'ABSENT', code: 'CLY_REPERFORMANCE_ABSENT', message: 'needs the engine the bundle names' },
    time: { status: 'ABSENT', code: 'CLY_TIME_ABSENT', message: 'no RFC 3161 token' },
    witness: { status: 'ABSENT', code: 'CLY_WITNESS_ABSENT', message: 'no cosignature' },
  };
}
