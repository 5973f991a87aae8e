// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { DEFAULTS, READERS, ROUTE_KINDS, readRoute, type WizardAnswers, type WizardRoute } from './wizard-answers.ts';

/** Shows a question and resolves with the line that was typed; undefined at the end of the input. */
export type Asker = (question: string) => Promise<string | undefined>;

const TRIES_MAX = 5;
const ROUTES_MAX = 64;

/** Asks what cannot be guessed; what is typed wrong is asked again. Rejects with CLY_CLI_WIZARD_END where the input ends. */
export async function askAnswers(ask: Asker, say: (line: string) => void): Promise<WizardAnswers> {
  const one = <Value>(question: string, fallback: string, read: (text: string) => Value): Promise<Value> =>
    asked({ ask, say }, { question, fallback, read });
  const name = await one('What is the policy called?', 'my-policy', READERS.name);
  const mode = await one('Should it block (gate), or only record for now (review)?', DEFAULTS.mode, READERS.mode);
  const routes = await askRoutes({ ask, say });
  const isOf = (kind: string): boolean => routes.some((route) => route.kind === kind);
  const tenantIn = await one(
    'Where do bodies name the tenant (a JSON pointer; empty: they do not)?',
    '',
    READERS.tenantIn,
  );
  const money = isOf('money') ? await askMoney(one) : {};
  const approved = routes.some(({ kind }) => kind !== 'plain') ? await askApprovers(one) : {};
  const counted = isOf('money') || isOf('bulk');
  const perHour = counted
    ? await one('How many such requests an hour may one actor make?', String(DEFAULTS.perHour), READERS.count)
    : DEFAULTS.perHour;
  return { ...DEFAULTS, name, mode, routes, tenantIn, perHour, ...money, ...approved };
}

type One = <Value>(question: string, fallback: string, read: (text: string) => Value) => Promise<Value>;

async function askMoney(one: One): Promise<Partial<WizardAnswers>> {
  return {
    amount: await one('Where does the amount stand?', DEFAULTS.amount, READERS.amount),
    currency: await one(
      'Which currency (a code such as EUR, or where it stands)?',
      DEFAULTS.currency,
      READERS.currency,
    ),
    approveAbove: await one('Above which amount must a person approve?', DEFAULTS.approveAbove, READERS.decimal),
    twoAbove: await one('Above which amount must two people approve?', DEFAULTS.twoAbove, READERS.decimal),
  };
}

async function askApprovers(one: One): Promise<Partial<WizardAnswers>> {
  return {
    idps: await one(
      'Which identity providers may vouch for approvers (domains; empty: any that intake knows)?',
      '',
      READERS.idps,
    ),
    mfa: await one('Must approvers use a second factor?', 'yes', READERS.flag),
    breakGlass: await one('May an operator let something through alone in an emergency?', 'no', READERS.flag),
  };
}

type Talk = { readonly ask: Asker; readonly say: (line: string) => void };
type Question<Value> = { readonly question: string; readonly fallback: string; readonly read: (text: string) => Value };

async function askRoutes(talk: Talk): Promise<readonly WizardRoute[]> {
  talk.say(
    `Now the routes, one a line: METHOD /path upstream [${ROUTE_KINDS.join('|')}]. Such as: POST /refunds/{id} crm money`,
  );
  const routes: WizardRoute[] = [];
  while (routes.length < ROUTES_MAX) {
    const question = routes.length === 0 ? 'First route?' : 'Another route (empty: no more)?';
    const read = (text: string) => (text === '' && routes.length > 0 ? undefined : readRoute(text));
    const route = await asked(talk, { question, fallback: '', read });
    if (route === undefined) break;
    routes.push(route);
  }
  return routes;
}

async function asked<Value>({ ask, say }: Talk, { question, fallback, read }: Question<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    const line = await ask(fallback === '' ? `${question} ` : `${question} [${fallback}] `);
    if (line === undefined) {
      throw new ClyraError('CLY_CLI_WIZARD_END', 'the input ended before all was asked: answer, or give --route', {
        retry: 'never',
      });
    }
    try {
      return read(line.trim() === '' ? fallback : line.trim());
    } catch (error) {
      if (!(error instanceof ClyraError) || attempt === TRIES_MAX) throw error;
      say(`  ${error.message}`);
    }
  }
}
