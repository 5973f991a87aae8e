// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** CLYRA_CHROMIUM, or where Debian puts it. A machine without one fails these tests and says what to do. */
export function chromiumPath(): string {
  const found = [process.env['CLYRA_CHROMIUM'] ?? '', ...PLACES].find((path) => path !== '' && existsSync(path));
  if (found !== undefined) return found;
  throw new Error('there is no Chromium: install it (Debian: apt-get install chromium), or set CLYRA_CHROMIUM');
}

/** CLYRA_BROWSER_SHOTS: where the pictures of the pages go. */
export function shotsFolder(): string {
  return process.env['CLYRA_BROWSER_SHOTS'] ?? join(tmpdir(), `clyra-shots-${process.pid}`);
}
