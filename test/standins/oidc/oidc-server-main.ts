// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { type OidcPlan, startOidcServer } from './oidc-server.ts';

/** The server as a process of its own: the plan is the first argument, the first line of output the issuer. */
const plan = JSON.parse(process.argv[2] ?? '{}') as OidcPlan;
const server = await startOidcServer(plan);
process.stdout.write(`${server.issuer}\n`);
process.on('SIGTERM', () => void server.close());
// Whoever started it holds the other end: it never outlives them.
process.stdin.resume().on('end', () => void server.close().then(() => process.exit(0)));
