// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { specExamples } from '@clyra/testing/spec-examples';
import { expect, it } from '@jest/globals';

it('docs/spec/examples.md is what the code makes: write it with `make docs`', async () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/spec/examples.md'), 'utf8')).toBe(await specExamples());
});
