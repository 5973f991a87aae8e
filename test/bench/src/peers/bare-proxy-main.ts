// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { followParent, tellParent } from '../process/peer-side.ts';
import { startProxy } from './proxy-server.ts';

followParent();
tellParent({ ready: await startProxy({ upstreamUrl: process.argv[2] ?? '' }) });
