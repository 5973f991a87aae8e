// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { crmOptions } from './config.ts';
import { startCrm } from './crm-server.ts';

const crm = await startCrm(crmOptions());
process.stdout.write(`the demonstration CRM listens on ${crm.url}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void crm.close().then(() => process.exit(0)));
}
