// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requestTimeStamp } from '@clyra/adapter-signing/tsa-client';
import type { TimeAuthority } from '@clyra/core/signing/trust-root';
import { authorityOf } from '@clyra/core/timestamp/judge-time-stamp';
import { readTimeStamp } from '@clyra/core/timestamp/read-token';
import { realClock } from '@clyra/testing/real-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TsaServer } from './tsa-server.ts';

const run = promisify(execFile);
const random = { bytes: (size: number) => randomBytes(size) };
const sealed = Buffer.from('acme.example/log/acme\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— acme key\n');
const FAR_MS = 4_102_444_800_000;
let folder: string;
let tsa: TsaServer;
let authority: TimeAuthority;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-tsa-'));
  tsa = await TsaServer.start({ folder: join(folder, 'tsa'), clock: realClock, port: 0 });
  authority = {
    name: 'local',
    operator: 'elsewhere',
    certificate: tsa.files.rootCertificate,
    validFromMs: 0,
    validToMs: FAR_MS,
    revokedAtMs: undefined,
  };
});
afterAll(async () => {
  await tsa.stop();
  await rm(folder, { recursive: true, force: true });
});

const stamp = (authorities: readonly TimeAuthority[] = [authority]) =>
  requestTimeStamp(sealed, { url: tsa.url, deadlineMs: 5_000, random }, authorities);
const codeOf = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
};

describe('the local TSA and its client', () => {
  it('stamps what it is given, at its time, in the name of the authority in the trust root', async () => {
    const beforeMs = Date.now();
    const { token, upperBoundMs, authority: found } = await stamp();
    expect(found.name).toBe('local');
    expect(upperBoundMs).toBeGreaterThanOrEqual(beforeMs);
    expect(upperBoundMs).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(token.length).toBeLessThan(2_000);
  });

  it('makes tokens that openssl accepts, and refuses for other bytes and for another root', async () => {
    const { token } = await stamp();
    const [data, other, tsr] = ['data', 'other', 'token.tsr'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(data, sealed);
    await writeFile(other, Buffer.concat([sealed, Buffer.from('x')]));
    await writeFile(tsr, token);
    const verify = (file: string, root: string) =>
      run('openssl', ['ts', '-verify', '-data', file, '-in', tsr, '-CAfile', root]);
    await expect(verify(data, tsa.files.rootCertificateFile)).resolves.toMatchObject({
      stdout: expect.stringContaining('Verification: OK'),
    });
    await expect(verify(other, tsa.files.rootCertificateFile)).rejects.toThrow('message imprint mismatch');
    const stranger = await TsaServer.start({ folder: join(folder, 'stranger'), clock: realClock, port: 0 });
    await stranger.stop();
    await expect(verify(data, stranger.files.rootCertificateFile)).rejects.toThrow('certificate verify error');
  });

  it('answers a query that openssl made', async () => {
    const [data, query] = [join(folder, 'data2'), join(folder, 'query.tsq')];
    await writeFile(data, sealed);
    await run('openssl', ['ts', '-query', '-data', data, '-sha256', '-cert', '-out', query]);
    const { stdout } = await run('openssl', ['ts', '-query', '-in', query, '-text']);
    expect(stdout).toContain('sha256');
    const answer = await fetch(tsa.url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: await readFile(query),
    });
    const found = readTimeStamp(Buffer.from(await answer.arrayBuffer()));
    expect(authorityOf(found, [authority])?.name).toBe('local');
  });

  it('is believed only inside of the windows, and not after a revocation', async () => {
    const { token } = await stamp();
    const found = readTimeStamp(token);
    const judged = (change: Partial<TimeAuthority>) =>
      codeOf(() => authorityOf(found, [{ ...authority, ...change }])?.name);
    expect(judged({})).toBe('local');
    expect(judged({ validToMs: found.genTimeMs })).toBe('local');
    expect(judged({ validToMs: found.genTimeMs - 1 })).toBe('CLY_TIME_STAMP');
    expect(judged({ validFromMs: found.genTimeMs + 1 })).toBe('CLY_TIME_STAMP');
    expect(judged({ revokedAtMs: found.genTimeMs })).toBe('CLY_TIME_STAMP');
    expect(judged({ certificate: found.signer.whole })).toBe('local');
  });

  it('is nobody where the trust root does not name it', async () => {
    await expect(stamp([])).rejects.toMatchObject({ code: 'CLY_TSA_REFUSED' });
  });

  it('gives no token of which a bit may change', async () => {
    const { token } = await stamp();
    const names = { imprint: Buffer.from(readTimeStamp(token).imprint), signer: readTimeStamp(token).signer.whole };
    let accepted = 0;
    for (let bit = 0; bit < token.length * 8; bit += 1) {
      const changed = Uint8Array.from(token);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      try {
        const found = readTimeStamp(changed);
        const same = names.imprint.equals(found.imprint) && Buffer.compare(names.signer, found.signer.whole) === 0;
        if (same && authorityOf(found, [authority]) !== undefined) accepted += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'CLY_TIME_STAMP' });
      }
    }
    // What nobody signs: parameters, versions and lists of algorithms around the signed parts.
    expect(accepted).toBeLessThan(300);
  });

  it('keeps its limits: size, type and hash', async () => {
    const post = async (body: Uint8Array, type = 'application/timestamp-query') =>
      (await fetch(tsa.url, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) })).status;
    await expect(post(new Uint8Array(5_000))).resolves.toBe(413);
    await expect(post(new Uint8Array(5), 'text/plain')).resolves.toBe(400);
    const refusal = await fetch(tsa.url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: Buffer.from('3003020101', 'hex'),
    });
    expect(codeOf(() => readTimeStamp(new Uint8Array()))).toBe('CLY_TIME_STAMP');
    const answer = Buffer.from(await refusal.arrayBuffer());
    expect(codeOf(() => readTimeStamp(answer))).toBe('CLY_TIME_STAMP');
  });

  it('is asked again later when it is away', async () => {
    await expect(
      requestTimeStamp(sealed, { url: 'http://127.0.0.1:1/', deadlineMs: 1_000, random }, [authority]),
    ).rejects.toMatchObject({ code: 'CLY_TSA_UNAVAILABLE', retry: 'backoff' });
  });
});
