// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { OverlayText } from '@clyra/core/policy/compile-policy';
import { Option } from 'commander';
import { readText } from './read-text.ts';

export type OverlayOptions = { readonly overlay?: readonly string[] };

/** `--overlay FILE`, repeatable. */
export function overlayOption(): Option {
  return new Option('--overlay <file>', 'rules that come to the policy, in this order; repeatable').argParser(
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
}

/** The name of an overlay is that of its file without extensions: its rules' ids begin with it. */
export async function readOverlays(files: readonly string[] = []): Promise<OverlayText[]> {
  return Promise.all(
    files.map(async (file) => ({ name: basename(file).split('.', 1)[0] ?? '', text: await readText(file) })),
  );
}
