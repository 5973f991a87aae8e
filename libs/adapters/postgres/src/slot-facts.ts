// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { LsnText } from './lsn.ts';
import { quoteLiteral } from './sql-identifier.ts';

/** The cluster and its history branch. Log positions compare only within one of both. */
export type SystemIdentity = {
  /** Decimal text of 64 bits. */
  readonly systemId: string;
  readonly timeline: number;
  /** The end of the log when asked. */
  readonly currentLsn: LsnText;
};

/** `reserved`, `extended`, `unreserved`, `lost`; the last is final. */
export type WalStatus = string;

export type SlotFacts = {
  readonly slot: string;
  readonly plugin: string;
  readonly database: string;
  readonly isActive: boolean;
  readonly isTwoPhase: boolean;
  /** null in a slot that was invalidated. */
  readonly confirmedFlushLsn: LsnText | null;
  readonly restartLsn: LsnText | null;
  readonly walStatus: WalStatus | null;
  /** How much the server may still write before the slot is at risk; null without a limit. Bytes as decimal text. */
  readonly safeWalSizeBytes: string | null;
};

/** 13 has no two-phase slots, hence the detour. Works over the simple protocol too, which is all a replication session has; `slot` was checked by requireSlotName. */
export function slotFactsSql(slot: string): string {
  return `select slot_name::text as slot, plugin::text as plugin, database::text as database, active,
      coalesce((pg_catalog.to_jsonb(s) ->> 'two_phase')::boolean, false) as "twoPhase", confirmed_flush_lsn::text as "confirmedFlushLsn", restart_lsn::text as "restartLsn",
      wal_status::text as "walStatus", safe_wal_size::text as "safeWalSizeBytes"
    from pg_catalog.pg_replication_slots s where slot_name = ${quoteLiteral(slot)} and slot_type = 'logical'`;
}

export function slotFactsOf(row: Readonly<Record<string, unknown>>): SlotFacts {
  const text = (name: string): string | null => {
    const value = row[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    slot: text('slot') ?? '',
    plugin: text('plugin') ?? '',
    database: text('database') ?? '',
    isActive: row.active === true,
    isTwoPhase: row.twoPhase === true,
    confirmedFlushLsn: text('confirmedFlushLsn'),
    restartLsn: text('restartLsn'),
    walStatus: text('walStatus'),
    safeWalSizeBytes: text('safeWalSizeBytes'),
  };
}

/** The one row of IDENTIFY_SYSTEM. */
export function systemIdentityOf(row: Readonly<Record<string, unknown>> | undefined): SystemIdentity {
  const systemId = row?.systemid;
  const timeline = Number(row?.timeline);
  const currentLsn = row?.xlogpos;
  if (typeof systemId !== 'string' || typeof currentLsn !== 'string' || !Number.isSafeInteger(timeline)) {
    throw new ClyraError(
      'CLY_SOURCE_IDENTITY_UNKNOWN',
      'The server does not say which cluster it is. Connect to PostgreSQL itself, not to a proxy.',
      {
        retry: 'never',
      },
    );
  }
  return { systemId, timeline, currentLsn };
}
