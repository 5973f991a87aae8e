// SPDX-License-Identifier: Apache-2.0
// Writes docs/spec/examples.md: part of `make docs`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { specExamples } from '@clyra/testing/spec-examples';

writeFileSync(join(import.meta.dirname, '../../docs/spec/examples.md'), await specExamples());
