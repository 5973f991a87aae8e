// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import process from 'node:process';

/** What the bench tells a process that it started. */
export type PeerOrder = { readonly profile: 'start' } | { readonly profile: 'stop'; readonly file: string };
/** What such a process tells the bench. */
export type PeerNews = { readonly ready: string } | { readonly profiled: string };

/** A process of the bench ends with it, however the bench ended. */
export function followParent(): void {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // A Ctrl-C reaches the whole group; only the parent decides.
  process.on('SIGINT', () => {});
  let session: Session | undefined;
  process.on('message', (order: PeerOrder) => {
    if (order.profile === 'start') {
      session = new Session();
      void startProfile(session);
    } else if (session !== undefined) void stopProfile(session, order.file);
  });
}

export function tellParent(news: PeerNews): void {
  process.send?.(news);
}

const SAMPLE_INTERVAL_US = 500;

async function startProfile(session: Session): Promise<void> {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_INTERVAL_US });
  await session.post('Profiler.start');
}

async function stopProfile(session: Session, file: string): Promise<void> {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
  tellParent({ profiled: file });
}
