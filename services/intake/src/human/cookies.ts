// SPDX-License-Identifier: Apache-2.0
import type { RequestHeaders } from '../gateway/request-headers.ts';

export type CookieName = 'session' | 'signin';

/** Cookies of this host alone, never readable by a script; `__Host-` binds them to https and the whole host. */
export class Cookies {
  readonly #isSecure: boolean;

  constructor(publicUrl: string) {
    this.#isSecure = publicUrl.startsWith('https:');
  }

  /** Two of one name mean that somebody else set one of them: then there is none. */
  read(headers: RequestHeaders, name: CookieName): string | undefined {
    const wanted = this.#nameOf(name);
    const pairs = headers.all('cookie').flatMap((line) => line.split(';'));
    const values = pairs.flatMap((pair) => {
      const [key, ...value] = pair.trim().split('=');
      return key === wanted ? [value.join('=')] : [];
    });
    return values.length === 1 ? values[0] : undefined;
  }

  /** `SameSite=Lax`: the provider's redirect back is a plain navigation and must bring them along; a foreign form must not. */
  set(name: CookieName, value: string, maxAgeSeconds: number): string {
    const attributes = ['Path=/', 'HttpOnly', 'SameSite=Lax', `Max-Age=${maxAgeSeconds}`];
    if (this.#isSecure) attributes.push('Secure');
    return `${this.#nameOf(name)}=${value}; ${attributes.join('; ')}`;
  }

  clear(name: CookieName): string {
    return this.set(name, '', 0);
  }

  #nameOf(name: CookieName): string {
    return `${this.#isSecure ? '__Host-' : ''}clyra_${name}`;
  }
}
