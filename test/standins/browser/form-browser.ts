// SPDX-License-Identifier: Apache-2.0
/** What a person does with a page: reads it, follows links, fills in forms and presses their buttons. */
export type SeenPage = {
  readonly url: string;
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
};

export type Filled = Readonly<Record<string, string>>;

/** Without fields it is a visit, with them a form. */
type Sending = { readonly fields?: Filled; readonly headers?: Readonly<Record<string, string>> };

const REDIRECTS_MAX = 12;

/** A browser with cookies, redirects and forms, and nothing else: no script, no pictures. */
export class FormBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();
  /** Every address on the way to the page, the first asked for first. */
  trail: string[] = [];

  async open(url: string): Promise<SeenPage> {
    this.trail = [];
    return this.#ask(url, {});
  }

  /** Sends the form with this action (its end is enough), its hidden fields as they are. */
  async submit(page: SeenPage, action: string, filled: Filled = {}): Promise<SeenPage> {
    const form = formsOf(page).find((one) => one.action.endsWith(action));
    if (form === undefined) throw new Error(`no form leads to ${action} on ${page.url}:\n${textOf(page)}`);
    this.trail = [];
    return this.#ask(new URL(form.action, page.url).href, {
      fields: { ...form.fields, ...filled },
      headers: { origin: new URL(page.url).origin },
    });
  }

  /** As a foreign page, or a program, would send it. */
  async post(url: string, fields: Filled, headers: Readonly<Record<string, string>> = {}): Promise<SeenPage> {
    return this.#ask(url, { fields, headers });
  }

  /** All cookies, or those of one site. */
  forget(site?: string): void {
    if (site === undefined) this.#cookies.clear();
    else this.#cookies.delete(new URL(site).host);
  }

  async #ask(url: string, { fields, headers = {} }: Sending): Promise<SeenPage> {
    let next = url;
    let body = fields === undefined ? undefined : new URLSearchParams(fields).toString();
    for (let hop = 0; hop < REDIRECTS_MAX; hop += 1) {
      this.trail.push(next);
      const { host } = new URL(next);
      const response = await fetch(next, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: {
          cookie: [...(this.#cookies.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
          ...(body === undefined ? {} : headers),
        },
        ...(body === undefined ? {} : { body }),
      });
      this.#keep(host, response.headers.getSetCookie());
      const html = await response.text();
      const location = response.headers.get('location');
      if (location === null) return { url: next, status: response.status, html, headers: response.headers };
      next = new URL(location, next).href;
      body = undefined;
    }
    throw new Error(`more than ${REDIRECTS_MAX} redirects from ${url}`);
  }

  #keep(host: string, cookies: readonly string[]): void {
    const jar = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, jar);
    for (const cookie of cookies) {
      const [pair = '', ...attributes] = cookie.split(';');
      const [name = '', ...value] = pair.split('=');
      const isOver = attributes.some((one) => /^\s*max-age=0$/i.test(one) || /expires=thu, 01 jan 1970/i.test(one));
      if (isOver) jar.delete(name.trim());
      else jar.set(name.trim(), value.join('='));
    }
  }
}

type Form = { readonly action: string; readonly fields: Filled };

export function formsOf({ html }: SeenPage): readonly Form[] {
  return [...html.matchAll(/<form\b[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].map(
    ([, action = '', inner = '']) => {
      const hidden = inner.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g);
      return { action, fields: Object.fromEntries([...hidden].map(([, name = '', value = '']) => [name, value])) };
    },
  );
}

/** What a person reads. */
export function textOf({ html }: SeenPage): string {
  const text = html.replace(/<(?:style|title)[\s\S]*?<\/(?:style|title)>/g, '').replace(/<[^>]+>/g, ' ');
  return text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&').replace(/\s+/g, ' ').trim();
}
