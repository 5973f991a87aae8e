// SPDX-License-Identifier: Apache-2.0
import { FormBrowser, type SeenPage } from '../../standins/browser/form-browser.ts';
import type { OidcPerson } from '../../standins/oidc/oidc-server.ts';

/** One person at their browser. */
export class Visitor {
  readonly browser = new FormBrowser();
  readonly #url: string;
  readonly #person: OidcPerson;
  readonly #hasCode: boolean;
  page!: SeenPage;

  constructor(url: string, person: OidcPerson, hasCode: boolean) {
    this.#url = url;
    this.#person = person;
    this.#hasCode = hasCode;
  }

  async signIn(path: string, provider: string): Promise<void> {
    const start = await this.browser.open(`${this.#url}${path}`);
    this.page = await this.prove(await this.browser.submit(start, '/sign-in', { provider }));
  }

  async look(path: string): Promise<SeenPage> {
    this.page = await this.browser.open(path.startsWith('http') ? path : `${this.#url}${path}`);
    return this.page;
  }

  /** Presses the button on the change's page and signs in where the provider asks. */
  async approve(path: string): Promise<SeenPage> {
    const page = await this.look(path);
    const asked = await this.browser.submit(page, '/approve');
    this.page = asked.url.includes('/interaction/') ? await this.prove(asked) : asked;
    return this.page;
  }

  prove(page: SeenPage): Promise<SeenPage> {
    const { subject: name, password, code } = this.#person;
    const action = new URL(page.url).pathname;
    return this.browser.submit(page, action, { name, password, code: this.#hasCode ? code : '' });
  }
}
