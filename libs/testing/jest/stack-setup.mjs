// SPDX-License-Identifier: Apache-2.0
// Jest's globalSetup of the tiers that need real parts; Jest takes a default export only.
export { setUpStack as default } from '../src/shared-test-stack.ts';
