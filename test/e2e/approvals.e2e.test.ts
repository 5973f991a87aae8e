// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleAfter } from '@clyra/cli/quickstart/await-evidence';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { systemClock } from '@clyra/runtime/system-clock';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Runs } from '../faults/bundler/runs.ts';
import { readLogFacts } from '../faults/world/log-facts.ts';
import { WORLD_TENANT } from '../faults/world/world-policy.ts';
import { Visitor } from '../human/test-support/visitor.ts';
import { textOf } from '../standins/browser/form-browser.ts';
import { e2eSizes } from './config.ts';
import { APPROVERS, type ApprovalWorld, startApprovalWorld } from './human/approval-world.ts';
import { REPOSITORY } from './run-clyra.ts';

const START_MS = 180_000;
const WAIT = { clock: systemClock, deadlineMs: 30_000 };
const POLICY_FILE = new URL('../../packs/verification/quickstart.json', import.meta.url).pathname;

let own: ApprovalWorld;
let runs: Runs;

beforeAll(async () => {
  own = await startApprovalWorld(e2eSizes().seed);
  runs = new Runs(own.world, 'sync-job');
  await runs.open('the-day');
}, START_MS);

afterAll(() => own?.world.close(), START_MS);

async function visitor(subject: string): Promise<Visitor> {
  const person = APPROVERS.find((one) => one.subject === subject);
  const made = new Visitor(own.door, person ?? (APPROVERS[0] as (typeof APPROVERS)[number]), true);
  await made.signIn('/', 'corp');
  return made;
}

const receiptOf = async (eventId: string | undefined): Promise<JsonObject> => {
  const { receipts } = await readLogFacts(own.world);
  return receipts.find(({ body }) => body['event_id'] === eventId)?.body ?? {};
};

describe('a held change on the real stack', () => {
  const audience = { name: 'high-risk accounts', size: 40_000 };
  let of = '';

  it('is listed, approved by two people who sign in at a real identity provider, and goes through once', async () => {
    const first = await own.send('/audiences/high-risk', audience, 'audience-1');
    expect({ status: first.status, code: first.problem['code'] }).toEqual({
      status: 428,
      code: 'CLY_APPROVAL_REQUIRED',
    });
    of = String(first.eventId);
    const url = String(first.problem['approval_url']);
    expect(url).toBe(`${own.door}/changes/${WORLD_TENANT}/${of}`);
    const listed = await own.clyra('approval', 'list', WORLD_TENANT);
    expect(listed.stdout).toContain(of);
    expect(listed.stdout).toContain('0 of 2');

    const ada = await visitor('ada');
    expect(textOf(ada.page)).toContain('One change waits for approval');
    expect(textOf(await ada.look(url))).toContain('high-risk accounts');
    expect(textOf(await ada.approve(url))).toContain('Your approval is recorded');
    expect((await own.send('/audiences/high-risk', audience, 'audience-1')).status).toBe(428);
    expect(textOf(await (await visitor('bea')).approve(url))).toContain('Enough people have approved');
    expect(own.upstream.arrivals).toEqual([]);

    const repeat = await own.send('/audiences/high-risk', audience, 'audience-1');
    expect(repeat.status).toBe(201);
    expect(own.upstream.arrivals.map(({ eventId }) => eventId)).toEqual([repeat.eventId]);
    expect(await receiptOf(repeat.eventId)).toMatchObject({
      decision: 'allow',
      supersedes: of,
      bec_approval_grade: 2,
      approval: { state: 'used', of, approvers: ['localhost|ada', 'localhost|bea'] },
    });
    expect((await own.send('/audiences/high-risk', audience, 'audience-2')).status).toBe(428);
    expect(own.upstream.arrivals).toHaveLength(1);
  });

  it('is known again after a restart of intake, with the approvals that were given', async () => {
    const refund = { payee: 'P-1007', amount: '12.50' };
    const first = await own.send('/refunds', refund, 'refund-1');
    const url = String(first.problem['approval_url']);
    await (await visitor('ada')).approve(url);
    const intake = own.world.service('intake');
    await intake.kill();
    await intake.start();
    expect((await own.clyra('approval', 'list', WORLD_TENANT)).stdout).toContain('localhost|ada');
    expect(textOf(await (await visitor('bea')).look(url))).toContain('P-1007');
    expect((await own.send('/refunds', refund, 'refund-1')).status).toBe(201);
  });

  it('is let through by an operator in an emergency, and somebody else must look at it', async () => {
    const held = await own.send('/refunds', { payee: 'P-2000', amount: '7.00' }, 'refund-2');
    const event = String(held.eventId);
    const why = ['--ticket', 'INC-7', '--reason', 'the desk is closed'];
    const granted = await own.clyra('emergency', 'grant', WORLD_TENANT, event, ...why);
    expect({ code: granted.code, said: granted.stdout + granted.stderr }).toMatchObject({ code: 0 });
    const sent = await own.send('/refunds', { payee: 'P-2000', amount: '7.00' }, 'refund-2');
    expect(sent.status).toBe(201);
    const receipt = await receiptOf(sent.eventId);
    expect(receipt).toMatchObject({ bec_approval_grade: 0, emergency: { ticket: 'INC-7' } });
    const id = String((receipt['emergency'] as JsonObject)['approval_id']);
    const listed = await own.clyra('emergency', 'list', WORLD_TENANT);
    expect({ code: listed.code, named: listed.stdout.includes(id) }).toEqual({ code: 0, named: true });
    const page = await (await visitor('ada')).look('/emergencies');
    expect(textOf(page)).toContain('INC-7');
    const { layout } = own.world.parts.local;
    const review = (key: string) =>
      own.clyra('emergency', 'review', WORLD_TENANT, id, '--verdict', 'in order', '--key', join(layout.keysDir, key));
    expect((await review('operator.pem')).stdout).toContain('CLY_EMERGENCY_SELF');
    expect((await review('second-operator.pem')).code).toBe(0);
    expect((await own.clyra('emergency', 'list', WORLD_TENANT)).stdout).toContain('No emergency');
  });

  it('is approved with a key too, but only by somebody who has the payload that is held', async () => {
    const limit = { account: 'A-1', limit: '900.00' };
    const held = await own.send('/limits', limit, 'limit-1');
    const [right, wrong] = ['right.json', 'wrong.json'].map((name) => join(own.world.parts.folder, name));
    await writeFile(right ?? '', JSON.stringify(limit, undefined, 2));
    await writeFile(wrong ?? '', JSON.stringify({ ...limit, limit: '9000.00' }));
    const grant = (payload = '') =>
      own.clyra('approval', 'grant', WORLD_TENANT, String(held.eventId), '--payload', payload);
    const refused = await grant(wrong);
    expect({ code: refused.code, why: refused.stderr }).toEqual({
      code: 2,
      why: expect.stringContaining('CLY_CLI_OTHER_PAYLOAD'),
    });
    expect((await grant(right)).code).toBe(0);
    const sent = await own.send('/limits', limit, 'limit-1');
    expect(sent.status).toBe(201);
    expect(await receiptOf(sent.eventId)).toMatchObject({
      bec_approval_grade: 1,
      approver_principal: 'local:approver',
    });
  });

  it('is held under a policy that says since when and by whose word it is in force', async () => {
    const status = async () => (await own.clyra('policy', 'status', WORLD_TENANT)).stdout;
    expect(await status()).toMatch(
      /policy approvals-e2e.*\n.*since record \d+ of partition 0.*signed by local:operator\n/,
    );
    const file = join(own.world.parts.folder, 'next.yaml');
    const routes = ['POST /audiences/{name} crm bulk', 'POST /refunds crm money'].flatMap((route) => [
      '--route',
      route,
    ]);
    expect((await own.clyra('policy', 'wizard', '--out', file, '--name', 'from-the-wizard', ...routes)).code).toBe(0);
    const alone = join(own.world.parts.local.layout.keysDir, 'policy-author.pem');
    const applied = (...keys: string[]) => own.clyra('policy', 'apply', file, '--tenant', WORLD_TENANT, ...keys);
    expect((await applied('--key', alone)).stdout).toMatch(/CLY_COMMAND_(?:ROLE|TWO_PERSONS)/);
    const draft = join(own.world.parts.folder, 'draft.json');
    expect((await applied('--draft', draft)).stdout).toContain('signed by its author');
    const approved = (policy: string) => own.clyra('policy', 'approve', draft, '--policy', policy);
    const other = join(own.world.parts.folder, 'policy.yaml');
    expect((await approved(other)).stderr).toContain('CLY_CLI_OTHER_POLICY');
    expect((await approved(file)).code).toBe(0);
    expect(await status()).toMatch(
      /policy from-the-wizard.*\n.*signed by local:policy-author and local:policy-approver\n(?:.*\n)*.*audiences\.post.*review: records only/,
    );
  });

  it('leaves a bundle that holds the proofs, and both verifiers agree on it', async () => {
    await runs.close('the-day');
    const { layout } = own.world.parts.local;
    const { location } = await bundleAfter(own.world.service('bundler').url, WORLD_TENANT, { ...WAIT, afterEnd: 0 });
    const directory = join(layout.blobDir, location);
    const { trustRootFile } = layout;
    const report = await verifyBundle({ directory, trustRootFile, policyFile: POLICY_FILE, mode: 'full' });
    expect(report).toMatchObject({ failures: [], exitCode: 0 });
    const manifest = (await import(join(directory, 'manifest.json'), { with: { type: 'json' } })) as {
      default: { documents: { named: number; held: number } };
    };
    // Three approvals at the door, each with request, token and keys.
    expect(manifest.default.documents).toEqual({ named: 9, held: 9 });
    const program = join(own.world.parts.folder, 'clyra-verify');
    await promisify(execFile)('go', ['build', '-o', program, './cmd/clyra-verify'], {
      cwd: join(REPOSITORY, 'verifiers/go'),
    });
    const args = ['--trust-root', trustRootFile, '--policy', POLICY_FILE, '--mode', 'full', directory];
    const { stdout } = await promisify(execFile)(program, ['verify', ...args]);
    expect(stdout).toContain('VALID');
  });
});
