// SPDX-License-Identifier: Apache-2.0
import { SCRIPT_KEYS } from '@clyra/testing/fold-script';
import { History } from '@clyra/testing/history';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { artifactsOf } from './bundle-artifacts.ts';
import { FIRST_PLACE } from './bundle-log.ts';
import {
  attestationName,
  bundleLocation,
  checkpointName,
  parseAttestationName,
  parseCheckpointName,
} from './bundle-names.ts';
import { noteKeyHint, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import { encodeManifest, readManifestHead, sameRange } from './manifest.ts';
import type { SealedRange } from './sealed-range.ts';
import { stateDigestOf } from './state-artifact.ts';

async function windows(count: number): Promise<History> {
  const history = await new History().open();
  for (let index = 0; index < count; index += 1) {
    await history.request();
    await history.closeWindow();
  }
  return history;
}

describe('the state artifact', () => {
  it('has the digest that its cut committed to', async () => {
    const { states } = await windows(2);
    expect(states.size).toBe(3);
    for (const [digest, bytes] of states) expect(stateDigestOf(bytes)).toBe(digest);
  });

  it.each([
    ['does not end with a line feed', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['has a line twice', (bytes: Buffer) => Buffer.concat([bytes, bytes])],
  ])('is refused where it %s', async (_, spoil) => {
    const [bytes] = (await windows(1)).states.values();
    expect(() => stateDigestOf(spoil(Buffer.from(bytes ?? [])))).toThrow(
      expect.objectContaining({ code: 'CLY_RECORD_SHAPE' }),
    );
  });
});

describe('the artifacts of a bundle', () => {
  it('are never another document than the lines name', () => {
    const sealed = {
      openingState: digestOf('state'),
      openingLedger: null,
      closingLedger: Buffer.from('{}'),
      policies: [],
      documents: { list: [] },
    };
    const build = (state: Uint8Array | null) => () =>
      artifactsOf(sealed as unknown as SealedRange, { policies: new Map(), state });
    expect(build(null)).toThrow(expect.objectContaining({ code: 'CLY_BUNDLE_STATE' }));
    expect(build(Buffer.from(''))).toThrow(expect.objectContaining({ code: 'CLY_BUNDLE_STATE' }));
    const policy = { ...sealed, openingState: null, policies: [digestOf('policy')] };
    const policies = new Map([[digestOf('policy'), Buffer.from('other')]]);
    expect(() => artifactsOf(policy as unknown as SealedRange, { policies, state: null })).toThrow(
      expect.objectContaining({ code: 'CLY_BUNDLE_POLICY' }),
    );
  });
});

describe('a checkpoint', () => {
  it('is a note that says its head', async () => {
    const head = { origin: 'example.test/acme', size: 42, root: digestOf('root') };
    const note = await signCheckpoint(head, SCRIPT_KEYS.log);
    expect(parseCheckpoint(note)).toEqual(head);
    const signature = Buffer.from(Buffer.from(note).toString().trimEnd().split(' ').at(-1) ?? '', 'base64');
    expect(signature.length).toBe(68);
    expect(signature.subarray(0, 4)).toEqual(Buffer.from(noteKeyHint(head.origin, SCRIPT_KEYS.log.publicKey)));
  });

  it('is refused where it is none', () => {
    expect(() => parseCheckpoint(Buffer.from('acme\n042\nroot\n'))).toThrow(
      expect.objectContaining({ code: 'CLY_RECORD_SHAPE' }),
    );
  });

  it('has a name that says its tenant and end', () => {
    expect(parseCheckpointName(checkpointName('acme', 42))).toEqual({ tenant: 'acme', end: 42 });
    expect(parseCheckpointName('checkpoints/acme/new')).toBeUndefined();
    expect(parseAttestationName(attestationName('acme', { start: 7, end: 42 }))).toEqual({ tenant: 'acme', end: 42 });
    expect(parseAttestationName('attestations/acme/42.dsse.json')).toBeUndefined();
    expect(bundleLocation('acme', { start: 0, end: 42 })).toBe('bundles/acme/000000000000-000000000042');
  });
});

describe('a manifest', () => {
  it('names the one before it, and its head can be read', async () => {
    const [first, second] = await sealHistory(await windows(2));
    const bytes = second?.files.get('manifest.json') ?? new Uint8Array();
    const manifest = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    expect(manifest['previous_manifest']).toBe(first?.envelope.manifest_digest);
    expect(manifest['opening_ledger']).toBe(
      readManifestHead(first?.files.get('manifest.json') ?? bytes).closing_ledger,
    );
    expect(readManifestHead(bytes)).toMatchObject({ tenant: 'acme', partition: 0, range: { start: 5, end: 7 } });
  });

  it('says the same of its range whoever produced it, and nothing else does', async () => {
    const [first, second] = await sealHistory(await windows(2));
    const bytes = Buffer.from(first?.files.get('manifest.json') ?? []);
    const other = Buffer.from(bytes.toString().replace('"version":"0.0.0"', '"version":"9.9.9"'));
    expect([sameRange(bytes, other), other.equals(bytes)]).toEqual([true, false]);
    expect(sameRange(bytes, second?.files.get('manifest.json') ?? bytes)).toBe(false);
  });

  it('is never larger than a verifier reads', () => {
    const segments = Array.from({ length: 16_000 }, (_, index) => digestOf(String(index)));
    const documents = { named: 0, list: [], heldOf: () => 0 };
    const sealed = { journal: { segments }, openingLedger: null, closingLedger: Buffer.from('{}'), documents };
    const extras = {
      origin: 'o',
      artifacts: [],
      bundleLog: FIRST_PLACE,
      previousManifest: null,
      producer: { name: 'p', version: '0' },
    };
    expect(() => encodeManifest(sealed as unknown as SealedRange, { ...extras, separation: 'none' })).toThrow(
      expect.objectContaining({ code: 'CLY_BUNDLE_MANIFEST_SIZE' }),
    );
  });
});
