// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import { HumanWorld, PEOPLE } from '../human/test-support/human-world.ts';
import type { OidcPerson } from '../standins/oidc/oidc-server.ts';
import { chromiumPath, shotsFolder } from './config.ts';
import { KeyboardPerson } from './keyboard-person.ts';

const START_MS = 60_000;
const [ADA, BEA] = PEOPLE as readonly [OidcPerson, OidcPerson];

/** In the page: what is wrong, and the first place. */
const FOUND_BY_AXE = 'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))';

let world: HumanWorld;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(shotsFolder(), { recursive: true });
  process.stdout.write(`\nPictures of the pages: ${shotsFolder()}\n`);
  world = await HumanWorld.start();
  // As root, as in most containers, Chromium refuses its own sandbox.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  browser = await chromium.launch({ executablePath: chromiumPath(), args });
}, START_MS);

afterAll(async () => {
  await browser?.close();
  await world?.close();
}, START_MS);

const person = async (options: BrowserContextOptions = {}): Promise<KeyboardPerson> =>
  KeyboardPerson.at(
    await browser.newContext({ javaScriptEnabled: false, viewport: { width: 1_100, height: 800 }, ...options }),
  );

async function hold(body: object): Promise<string> {
  const { problem } = await world.hold({ actor: 'desk', body: JSON.stringify(body) });
  return String(problem['approval_url']);
}

describe('the approval pages in Chromium, by keyboard, without a script', () => {
  it('lead from sign-in over list and change to a recorded approval', async () => {
    const url = await hold({ name: 'high-risk accounts', size: 40_000, filters: ['overdue', 'vip'], sync: true });
    const ada = await person();
    await ada.page.goto(world.url);
    await ada.shoot('1-sign-in');
    await ada.use('Sign in with Corporate sign-in');
    await ada.shoot('2-provider');
    await ada.prove(ADA);
    expect(await ada.text()).toContain('One change waits for approval');
    await ada.shoot('3-list');
    await ada.use('audiences.push');
    expect(ada.page.url()).toBe(url);
    await ada.reach('The exact text');
    await ada.page.keyboard.press('Enter');
    expect(await ada.text()).toContain('{"name":"high-risk accounts","size":40000');
    await ada.shoot('4-change');
    await ada.use('Approve and sign in');
    await ada.prove(ADA);
    expect(await ada.text()).toContain('Your approval is recorded');
    await ada.shoot('5-recorded');
    await ada.use('Back to the change');
    expect(await ada.text()).toContain('so far one has');
    await ada.shoot('6-half-approved');
    await ada.use('Approve and sign in');
    await ada.prove(ADA);
    expect(await ada.text()).toContain('CLY_APPROVAL_REPEATED');
    await ada.shoot('7-refused');
  });

  it('read well on a telephone, in the dark, and with a hostile payload', async () => {
    const url = await hold({ note: 'pay \u202e0001 RUE\u200b now </pre><script>alert(1)</script>', 'a/b': null });
    const bea = await person({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
    await bea.page.goto(url);
    await bea.use('Sign in with Corporate sign-in');
    await bea.prove(BEA);
    expect(bea.page.url()).toBe(url);
    expect(await bea.text()).toContain('U+202E');
    await bea.shoot('8-telephone-dark');
    const isWide = await bea.page.evaluate('document.documentElement.scrollWidth > innerWidth');
    expect(isWide).toBe(false);
  });

  it('have nothing that axe finds wrong', async () => {
    const url = await hold({ name: 'for axe', size: 1 });
    const ada = await person({ javaScriptEnabled: true, bypassCSP: true });
    const faults: Record<string, readonly string[]> = {};
    const check = async (name: string): Promise<void> => {
      await ada.page.addScriptTag({ content: axe.source });
      const found = await ada.page.evaluate(FOUND_BY_AXE);
      if ((found as string[]).length > 0) faults[name] = found as string[];
    };
    await ada.page.goto(world.url);
    await check('sign-in');
    await ada.use('Sign in with Corporate sign-in');
    await ada.prove(ADA);
    await check('list');
    await ada.page.goto(url);
    await check('change');
    await ada.use('Approve and sign in');
    await ada.prove(ADA);
    await check('recorded');
    await ada.page.goto(`${world.url}/emergencies`);
    await check('emergencies');
    await ada.page.goto(`${world.url}/nothing`);
    await check('problem');
    expect(faults).toEqual({});
  });

  it('run no script, whatever a page may hold', async () => {
    const ada = await person({ javaScriptEnabled: true });
    const refusals: string[] = [];
    ada.page.on('console', (message) => refusals.push(message.text()));
    await ada.page.goto(world.url);
    await ada.page.addScriptTag({ content: 'document.title = "owned"' }).catch(() => undefined);
    expect(await ada.page.title()).toBe('Sign in · Clyra approvals');
    expect(refusals.join(' ')).toContain('Content Security Policy');
  });
});
