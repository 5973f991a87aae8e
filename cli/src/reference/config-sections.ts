// SPDX-License-Identifier: Apache-2.0
import { attestorConfig } from '@clyra/attestor/config';
import { bundlerConfig } from '@clyra/bundler/config';
import { enforcerConfig } from '@clyra/enforcer/config';
import { intakeConfig } from '@clyra/intake/config';
import { recorderConfig } from '@clyra/recorder/config';
import type { ConfigSection } from '@clyra/runtime/config/config-reference';
import { cliDeclaration } from '../config.ts';

/** Every declaration that docs/reference/config.md is written from, in the order of the flow. */
export function configSections(): readonly ConfigSection[] {
  return [
    { service: 'intake', declaration: intakeConfig },
    { service: 'enforcer', declaration: enforcerConfig },
    { service: 'recorder', declaration: recorderConfig },
    { service: 'bundler', declaration: bundlerConfig },
    { service: 'attestor', declaration: attestorConfig },
    { service: 'clyra (the command line)', declaration: cliDeclaration },
  ];
}
