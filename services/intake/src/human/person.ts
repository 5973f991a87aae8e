// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { SignedIn } from '@clyra/core/ports/identity-provider';
import type { ProviderSettings } from './identity-file.ts';

/** Somebody who signed in at a provider, as certificates name them. */
export type Person = {
  readonly provider: string;
  readonly domain: string;
  /** `approver_sso_sub`: the provider's stable id, with the few characters that a certificate cannot hold escaped. */
  readonly subject: string;
  readonly name: string;
  readonly tenants: readonly string[];
};

export type Methods = { readonly amr: readonly string[]; readonly mfa: boolean };

const SUBJECT_LENGTH_MAX = 200;
/** What alone says nothing about a second factor. */
const FIRST_FACTORS = new Set(['pwd', 'kba', 'sms', 'tel', 'geo', 'rba', 'user', 'pin', 'mca', 'wia', 'sso']);
const METHOD = /^[^\u0000-\u0020\u007f|]{1,200}$/;

/** Throws CLY_HUMAN_NOT_APPROVER where the token lacks the claim that makes its person an approver. */
export function personOf(signedIn: SignedIn, settings: ProviderSettings): Person {
  const { require } = settings;
  if (require !== undefined && !holds(signedIn.claims[require.claim], require.value)) {
    throw new ClyraError(
      'CLY_HUMAN_NOT_APPROVER',
      `you are signed in, but ${settings.title} does not say that you may approve: ask for ${require.value}`,
      { retry: 'never' },
    );
  }
  const subject = signedIn.subject.replace(/[\u0000-\u0020\u007f|%]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
  if (subject.length > SUBJECT_LENGTH_MAX) {
    throw new ClyraError('CLY_OIDC_TOKEN', 'the subject in the token is too long', { retry: 'never' });
  }
  return {
    provider: settings.name,
    domain: settings.domain,
    subject,
    name: signedIn.name ?? signedIn.subject,
    tenants: settings.tenants,
  };
}

function holds(claim: unknown, value: string): boolean {
  return Array.isArray(claim) ? claim.includes(value) : claim === value;
}

/** How they signed in: what the token lists, and what its `acr` stands for at this provider. */
export function methodsOf({ amr, acr }: SignedIn, settings: ProviderSettings): Methods {
  const known = acr === null || !Object.hasOwn(settings.acrMethods, acr) ? [] : (settings.acrMethods[acr] ?? []);
  const all = [...new Set([...amr, ...known])].filter((method) => METHOD.test(method)).slice(0, 16);
  const mfa = all.includes('mfa') || (all.length > 1 && all.some((method) => !FIRST_FACTORS.has(method)));
  return { amr: all, mfa };
}
