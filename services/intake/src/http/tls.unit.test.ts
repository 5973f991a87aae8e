// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import { realClock } from '@clyra/testing/real-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GatewayRequest } from '../gateway/gateway-request.ts';
import { type GatewayListener, startGatewayListener } from './gateway-listener.ts';
import { readTls } from './tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'clyra-tls-'));
const at = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });

const CA_SETTINGS = `[ca]
default_ca = own
[own]
database = index.txt
default_md = sha256
default_crl_days = 30
crlnumber = crlnumber
serial = serial
new_certs_dir = .
policy = any
[any]
commonName = supplied
`;

function makeAuthority(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ed25519',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
  );
}

function makeRequest(name: string, extension: string): void {
  const key = ['-newkey', 'ed25519', '-nodes', '-keyout', `${name}.key`];
  openssl('req', ...key, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  writeFileSync(at(`${name}.ext`), extension);
}

function makeCertificate(name: string, authority: string, extension: string): void {
  makeRequest(name, extension);
  const issuer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    ...issuer,
    '-out',
    `${name}.pem`,
    '-days',
    '30',
    '-extfile',
    `${name}.ext`,
  );
}

const CLIENT = 'extendedKeyUsage=clientAuth';

type Options = { readonly certificate?: string; readonly versions?: object };

describe('the gateway behind TLS with client certificates', () => {
  const refusals: string[] = [];
  const seen: GatewayRequest['transport'][] = [];
  let listener: GatewayListener;

  beforeAll(async () => {
    makeAuthority('ca');
    makeAuthority('foreign');
    makeCertificate('server', 'ca', 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth');
    makeCertificate('good', 'ca', CLIENT);
    makeCertificate('stranger', 'foreign', CLIENT);
    makeCertificate('purpose', 'ca', 'extendedKeyUsage=serverAuth');
    makeCertificate('revoked', 'ca', CLIENT);
    writeFileSync(at('ca.cnf'), CA_SETTINGS);
    writeFileSync(at('index.txt'), '');
    writeFileSync(at('crlnumber'), '01\n');
    writeFileSync(at('serial'), '77\n');
    const ca = (...args: string[]): void =>
      openssl('ca', '-batch', '-config', 'ca.cnf', '-keyfile', 'ca.key', '-cert', 'ca.pem', '-md', 'default', ...args);
    ca('-revoke', 'revoked.pem');
    ca('-gencrl', '-out', 'crl.pem');
    const past = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
    makeRequest('expired', CLIENT);
    ca('-notext', ...past, '-in', 'expired.csr', '-out', 'expired.pem', '-extfile', 'expired.ext');
    const files = {
      gatewayTlsCertFile: at('server.pem'),
      gatewayTlsKeyFile: at('server.key'),
      gatewayClientCaFile: at('ca.pem'),
      gatewayClientCrlFile: at('crl.pem'),
    };
    listener = await startGatewayListener({
      host: '127.0.0.1',
      port: 0,
      clock: realClock,
      handle: async ({ transport }) => {
        seen.push(transport);
        return { status: 200, headers: {}, body: 'in' };
      },
      onRefused: (code) => refusals.push(code),
      ...(await readTls(files)),
    });
  });

  afterAll(async () => {
    await listener.close(500);
    rmSync(folder, { recursive: true, force: true });
  });

  function ask({ certificate, versions = {} }: Options): Promise<number | string> {
    const own =
      certificate === undefined
        ? {}
        : { cert: readFileSync(at(`${certificate}.pem`)), key: readFileSync(at(`${certificate}.key`)) };
    return new Promise((resolve) => {
      const asked = request(
        listener.url,
        { ca: readFileSync(at('ca.pem')), servername: 'localhost', agent: false, ...own, ...versions },
        (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode ?? 0));
        },
      );
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      asked.end();
    });
  }

  it('lets a client of its authority in, and says which key it has proved to hold', async () => {
    expect(listener.url).toMatch(/^https:/);
    expect(await ask({ certificate: 'good' })).toBe(200);
    const spki = new X509Certificate(readFileSync(at('good.pem'))).publicKey.export({ type: 'spki', format: 'der' });
    expect(seen.at(-1)).toEqual({ isTls: true, clientKeyDigest: digestOf(spki) });
  });

  it.each<[string, string, Options]>([
    ['no certificate', 'CLY_TLS_CLIENT_CERTIFICATE', {}],
    ['one of another authority', 'CLY_TLS_CLIENT_CERTIFICATE', { certificate: 'stranger' }],
    ['one for servers', 'CLY_TLS_CLIENT_CERTIFICATE', { certificate: 'purpose' }],
    ['a revoked one', 'CLY_TLS_CLIENT_CERTIFICATE', { certificate: 'revoked' }],
    ['an expired one', 'CLY_TLS_CLIENT_CERTIFICATE', { certificate: 'expired' }],
    [
      'TLS 1.1',
      'CLY_TLS_HANDSHAKE',
      {
        certificate: 'good',
        versions: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      },
    ],
  ])('refuses a client with %s, and counts it', async (_, code, options) => {
    const [before, counted] = [seen.length, refusals.length];
    expect(await ask(options)).toEqual(expect.any(String));
    expect(refusals.slice(counted)).toEqual([code]);
    expect(seen).toHaveLength(before);
  });

  it('refuses plain HTTP', async () => {
    const counted = refusals.length;
    await expect(fetch(listener.url.replace('https:', 'http:'))).rejects.toThrow();
    expect(refusals.slice(counted)).toEqual(['CLY_TLS_HANDSHAKE']);
  });

  it.each([
    [{ gatewayTlsCertFile: at('server.pem') }, 'both of them'],
    [{ gatewayTlsCertFile: at('absent.pem'), gatewayTlsKeyFile: at('server.key') }, 'ENOENT'],
    [{ gatewayTlsCertFile: at('server.pem'), gatewayTlsKeyFile: at('good.key') }, 'do not fit together'],
  ])('does not start with settings that cannot be used: %j', async (files, words) => {
    await expect(readTls(files)).rejects.toMatchObject({
      code: 'CLY_TLS_SETTING',
      message: expect.stringContaining(words),
    });
  });

  it('is plain HTTP without settings', async () => {
    expect(await readTls({})).toEqual({});
  });
});
