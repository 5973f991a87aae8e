// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { shotsFolder } from './config.ts';

const TABS_MAX = 60;

/** Somebody at a browser without a mouse: moves with Tab, acts with Enter, types. */
export class KeyboardPerson {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async at(context: BrowserContext): Promise<KeyboardPerson> {
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return new KeyboardPerson(page);
  }

  /** Moves on until what has the focus is called so. Fails where the keyboard does not get there, or the focus is unseen. */
  async reach(name: string): Promise<void> {
    const seen: string[] = [];
    for (let count = 0; count < TABS_MAX; count += 1) {
      await this.page.keyboard.press('Tab');
      const focused = await this.page.evaluate(FOCUSED);
      seen.push(focused.name);
      if (!focused.name.includes(name)) continue;
      if (!focused.isSeen) throw new Error(`${name} has the focus, and nothing shows it`);
      return;
    }
    throw new Error(`Tab never came to ${name}; it came to ${[...new Set(seen)].join(' | ')}`);
  }

  /** Reaches a link or button and uses it, then waits for the page behind it. */
  async use(name: string): Promise<void> {
    await this.reach(name);
    await Promise.all([this.page.waitForEvent('load'), this.page.keyboard.press('Enter')]);
  }

  async fill(name: string, text: string): Promise<void> {
    await this.reach(name);
    await this.page.keyboard.type(text);
  }

  /** Signs in on the provider's page. */
  async prove({ subject, password, code }: { subject: string; password: string; code: string }): Promise<void> {
    await this.page.waitForSelector('input[name=password]');
    // The name has the focus already.
    await this.page.keyboard.type(subject);
    await this.fill('Password', password);
    await this.fill('Second code', code);
    await Promise.all([this.page.waitForEvent('load'), this.page.keyboard.press('Enter')]);
  }

  /** What is rendered, not what is in the document: a closed part shows nothing. */
  text(): Promise<string> {
    // biome-ignore lint/performance/useDomNodeTextContent: a person reads what is shown.
    return this.page.innerText('body');
  }

  async shoot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(shotsFolder(), `${name}.png`), fullPage: true });
  }
}

/** In the page: DevTools may look even where pages may run nothing. */
const FOCUSED = `(() => {
  const element = document.activeElement ?? document.body;
  const label = element.labels?.[0]?.textContent ?? '';
  const style = getComputedStyle(element);
  const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return { name: (label || element.getAttribute('aria-label') || element.textContent || '').trim(), isSeen: outline };
})()` as unknown as () => { name: string; isSeen: boolean };
