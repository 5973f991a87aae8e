// SPDX-License-Identifier: Apache-2.0
import { verifyText } from '@clyra/core/evidence/verify-text';
import { readRecipes } from './read-recipes.ts';

const nowhere = { tenant: 'acme', origin: 'test/acme', start: 0, end: 1, trustRoot: '', manifestDigest: '' };

export const recipesConfig = {
  /** `make test-long` runs the recipes whose tools take minutes to build. */
  isLong: process.env['CLYRA_RECIPES_LONG'] === '1',
  env: process.env,
  verifyPage: readRecipes(verifyText(nowhere)),
};
