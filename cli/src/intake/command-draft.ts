// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import type { CommandSignature } from '@clyra/core/change/change-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { CommandRequest } from './intake-client.ts';
import { signCommand } from './sign-command.ts';

const FORMAT = 'clyra/command-draft/v0';
const LIMITS = { bytesMax: 8_388_608, depthMax: 16, valuesMax: 10_000 };

/** A command that waits for another person's signature, with its documents: a file that one hands to the other. */
export async function writeDraft(path: string, { command, signatures, documents }: CommandRequest): Promise<void> {
  const draft = {
    format: FORMAT,
    command,
    signatures,
    documents: documents.map(({ name, content }) => ({ name, content: Buffer.from(content).toString('base64') })),
  };
  await writeFile(path, `${JSON.stringify(draft, undefined, 2)}\n`);
}

/** Rejects with CLY_CLI_DRAFT where the file is none. What it says is judged by intake and the enforcer. */
export async function readDraft(path: string): Promise<CommandRequest> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw invalid(path, `cannot be read (${cause.code})`, cause);
  });
  const draft = parse(bytes);
  if (!isJsonObject(draft) || draft['format'] !== FORMAT) throw invalid(path, 'is no draft of a command');
  const { command, signatures, documents } = draft;
  if (!isJsonObject(command) || !Array.isArray(signatures) || !Array.isArray(documents)) {
    throw invalid(path, 'lacks its command, signatures or documents');
  }
  return {
    command,
    signatures: (signatures as readonly JsonObject[]).map(({ key_id, sig }) => ({ key_id, sig }) as CommandSignature),
    documents: (documents as readonly JsonObject[]).map(({ name, content }) => {
      return { name: name === 'policy' ? 'policy' : 'trust_root', content: Buffer.from(String(content), 'base64') };
    }),
  };
}

/** The draft with one signature more. */
export async function countersign(draft: CommandRequest, keyFile: string): Promise<CommandRequest> {
  const added = await signCommand(draft.command, [await openSigner(keyFile)]);
  return { ...draft, signatures: [...draft.signatures, ...added] };
}

function parse(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(bytes, LIMITS);
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}

function invalid(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_CLI_DRAFT', `${path} ${what}: write one with \`clyra policy apply --draft FILE\``, {
    retry: 'never',
    cause,
  });
}
