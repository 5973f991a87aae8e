// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { Random } from '@clyra/core/ports/random';

/** The platform's cryptographic generator. */
export const systemRandom: Random = { bytes: (size) => randomBytes(size) };
