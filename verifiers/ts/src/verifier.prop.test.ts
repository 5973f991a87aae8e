// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCheckpoint } from './documents/checkpoint.ts';
import { parseEnvelope } from './documents/envelope.ts';
import { parseManifest } from './documents/manifest.ts';
import { readGuardedOf } from './documents/policy-document.ts';
import { parseVerificationPolicy } from './documents/verification-policy.ts';
import { CompactRange, frontierLength } from './hash/compact-range.ts';
import { hashLeaf, rootOfPath } from './hash/tree.ts';
import { parseLine } from './journal/line.ts';
import { encodeCanonical } from './json/encode.ts';
import { JsonError } from './json/json-error.ts';
import { parseJson, RECORD } from './json/parse.ts';
import { ShapeError } from './json/shape.ts';
import { parseLedger } from './ledger/ledger.ts';
import { auditPath, canonical, frontierOf, treeRoot } from './testing/primitives.ts';
import { runVerifier } from './testing/run-verifier.ts';
import { buildStandard } from './testing/standard-bundle.ts';
import { parseTrustRoot } from './trust/trust-root.ts';

const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`));

describe('trees', () => {
  it('grow from any frontier to the root that RFC 6962 defines', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (start, more) => {
        const leaves = leavesOf(start + more);
        const frontier = frontierOf(leaves.slice(0, start));
        expect(frontier).toHaveLength(frontierLength(start));
        const range = new CompactRange(start, frontier);
        for (const leaf of leaves.slice(start)) {
          range.append(hashLeaf(leaf));
        }
        expect(range.root()).toEqual(treeRoot(leaves));
      }),
      { numRuns: 60 },
    );
  });

  it('accept the audit path of a leaf and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(99), fc.nat(99), (size, first, second) => {
        const leaves = leavesOf(size);
        const index = first % size;
        const path = [...auditPath(index, leaves)];
        const leaf = hashLeaf(leaves[index] as Buffer);
        const root = treeRoot(leaves);
        expect(rootOfPath(leaf, path, { index, size })).toEqual(root);
        expect(rootOfPath(leaf, [...path, root], { index, size })).toBeNull();
        const other = second % size;
        if (other !== index) {
          expect(rootOfPath(leaf, path, { index: other, size })?.equals(root) ?? false).toBe(false);
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Values of the record grammar. */
const records = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/),
  fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.maxSafeInteger().map((number) => number + 0),
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/), tie('value'), { maxKeys: 4 }),
    ),
  })).value,
  { maxKeys: 6 },
);

describe('records', () => {
  it('read back as they were written by another encoder', () => {
    fc.assert(
      fc.property(records, (value) => {
        const text = canonical(value);
        const parsed = parseJson(Buffer.from(text), RECORD);
        expect(encodeCanonical(parsed.value)).toBe(text);
        expect(canonical(parsed.value)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('with one byte changed are another record or none', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, where, by) => {
        const bytes = Buffer.from(canonical(value));
        const at = where % bytes.length;
        bytes[at] = (bytes[at] as number) ^ by;
        try {
          expect(Buffer.from(encodeCanonical(parseJson(bytes, RECORD).value))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

const PARSERS: readonly ((bytes: Buffer) => unknown)[] = [
  (bytes) => parseLine(bytes, { line: 1, leaf: 0 }),
  parseManifest,
  parseCheckpoint,
  parseEnvelope,
  parseLedger,
  parseTrustRoot,
  parseVerificationPolicy,
  readGuardedOf,
];

describe('garbage', () => {
  it('makes parsers refuse with their own errors', () => {
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      records.map((value) => Buffer.from(canonical(value))),
    );
    fc.assert(
      fc.property(inputs, (bytes) => {
        for (const parse of PARSERS) {
          try {
            parse(bytes);
          } catch (error) {
            expect(error instanceof JsonError || error instanceof ShapeError).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  const bundle = buildStandard();
  const names = [...bundle.files.keys()].filter((name) => name !== 'VERIFY.md');

  it('in any file makes the bundle fail, and the verifier never', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.uint8Array({ maxLength: 500 }), async (name, bytes) => {
        const files = new Map(bundle.files).set(name, Buffer.from(bytes));
        const report = await runVerifier({ ...bundle, files });
        expect([1, 2]).toContain(report.exitCode);
        expect(report.failures.map((failure) => failure.code)).not.toContain('CLY_VERIFIER_INTERNAL');
      }),
      { numRuns: 60 },
    );
  });

  it('put into a line, with all seals made anew, never makes the verifier fail', async () => {
    const values = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.constant([]), fc.constant({}), records);
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.nat(), values, async (index, pick, value) => {
        const line = (target: Record<string, unknown>, at: number) => {
          if (at === index) {
            replaceSomewhere(target, pick, value);
          }
        };
        const report = await runVerifier(buildStandard({ edits: { line } }));
        expect([1, 4]).toContain(report.exitCode);
        expect(report.failures.map((failure) => failure.code)).not.toContain('CLY_VERIFIER_INTERNAL');
      }),
      { numRuns: 80 },
    );
  });

  it('put into the manifest, with all seals made anew, never makes the verifier fail', async () => {
    const values = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.constant([]), fc.constant({}), records);
    await fc.assert(
      fc.asyncProperty(fc.nat(), values, async (pick, value) => {
        const manifest = (target: Record<string, unknown>) => replaceSomewhere(target, pick, value);
        const report = await runVerifier(buildSafely(manifest));
        expect([1, 2, 3, 4]).toContain(report.exitCode);
        expect(report.failures.map((failure) => failure.code)).not.toContain('CLY_VERIFIER_INTERNAL');
      }),
      { numRuns: 80 },
    );
  });
});

/** The builder itself reads root, origin and range: those stay. */
function buildSafely(manifest: (target: Record<string, unknown>) => void): ReturnType<typeof buildStandard> {
  return buildStandard({
    edits: {
      manifest: (target) => {
        const { root, origin, range } = structuredClone(target);
        manifest(target);
        Object.assign(target, { root, origin, range });
      },
    },
  });
}

/** Replaces one member at some depth. */
function replaceSomewhere(target: Record<string, unknown>, pick: number, value: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (inner: Record<string, unknown>) => {
    for (const [name, member] of Object.entries(inner)) {
      places.push([inner, name]);
      if (typeof member === 'object' && member !== null) {
        visit(member as Record<string, unknown>);
      }
    }
  };
  visit(target);
  const [holder, name] = places[pick % places.length] as [Record<string, unknown>, string];
  holder[name] = value;
}
