// SPDX-License-Identifier: Apache-2.0
// A service as in production, except that it ends with the bench and can be profiled while it runs.
import process from 'node:process';
import { followParent } from '../process/peer-side.ts';

followParent();
await import(process.argv[2] ?? '');
