// SPDX-License-Identifier: Apache-2.0
// Jest's globalTeardown beside stack-setup.mjs.
export { tearDownStack as default } from '../src/shared-test-stack.ts';
