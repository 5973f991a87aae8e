// SPDX-License-Identifier: Apache-2.0
import { enforcerConfig } from '@clyra/enforcer/config';
import type { ConfigSection } from '@clyra/runtime/config/config-reference';
import { cliDeclaration } from '../config.ts';

/** Every declaration that docs/reference/config.md is written from. */
export function configSections(): readonly ConfigSection[] {
  return [
    { service: 'enforcer', declaration: enforcerConfig },
    { service: 'clyra (the command line)', declaration: cliDeclaration },
  ];
}
