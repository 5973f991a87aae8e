// SPDX-License-Identifier: Apache-2.0
/** What a finding does: refuse, wait for approval, say so, or only be counted. The strongest of all wins. */
export type Effect = 'block' | 'hold' | 'warn' | 'shadow';

export const EFFECTS: readonly Effect[] = ['block', 'hold', 'warn', 'shadow'];
