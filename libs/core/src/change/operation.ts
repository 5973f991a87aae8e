// SPDX-License-Identifier: Apache-2.0

/** What a grant may allow to be done to a relation. */
export const OPERATIONS = ['insert', 'update', 'delete', 'truncate', 'ddl'] as const;
export type Operation = (typeof OPERATIONS)[number];
