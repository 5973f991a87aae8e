// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';

export type ProfileShare = { readonly name: string; readonly share: number };

/** Shares are of the time the process was busy; `busy` is that time as a share of the whole. */
export type ProfileSummary = {
  readonly busy: number;
  readonly owners: readonly ProfileShare[];
  readonly functions: readonly ProfileShare[];
};

const FUNCTIONS_MAX = 25;

/**
 * Self time by owner: our folder or the library that ran or called down to it. What Node does itself counts for its
 * nearest caller that is ours or a library's, so that a signature counts for signing and a socket write for its client.
 */
export function summariseProfile(file: string): ProfileSummary {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profiler.Profile;
  const selfUs = selfTimes(profile);
  const ownerOf = owners(profile);
  const byOwner = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let totalUs = 0;
  let idleUs = 0;
  for (const node of profile.nodes) {
    const us = selfUs.get(node.id) ?? 0;
    totalUs += us;
    if (node.callFrame.functionName === '(idle)') idleUs += us;
    else {
      const owner = ownerOf.get(node.id) ?? 'node';
      byOwner.set(owner, (byOwner.get(owner) ?? 0) + us);
      const name = `${node.callFrame.functionName || '(anonymous)'} [${placeOf(node.callFrame) ?? owner}]`;
      byFunction.set(name, (byFunction.get(name) ?? 0) + us);
    }
  }
  const busyUs = totalUs - idleUs;
  const shares = (times: ReadonlyMap<string, number>): ProfileShare[] =>
    [...times].map(([name, us]) => ({ name, share: us / busyUs })).toSorted((a, b) => b.share - a.share);
  return {
    busy: busyUs / totalUs,
    owners: shares(byOwner).filter(({ share }) => share >= 0.005),
    functions: shares(byFunction).slice(0, FUNCTIONS_MAX),
  };
}

function selfTimes(profile: Profiler.Profile): Map<number, number> {
  const times = new Map<number, number>();
  const { samples = [], timeDeltas = [] } = profile;
  samples.forEach((id, index) => {
    // A delta is the time since the sample before it.
    const us = timeDeltas[index + 1] ?? 0;
    times.set(id, (times.get(id) ?? 0) + us);
  });
  return times;
}

function owners(profile: Profiler.Profile): Map<number, string> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const found = new Map<number, string>();
  const visit = (id: number, inherited: string): void => {
    const node = nodes.get(id);
    if (node === undefined) return;
    const own = ownerOfFrame(node.callFrame) ?? inherited;
    found.set(id, own);
    for (const child of node.children ?? []) visit(child, own);
  };
  const root = profile.nodes[0];
  if (root !== undefined) visit(root.id, 'node');
  return found;
}

function ownerOfFrame({ functionName, url }: Profiler.Profile['nodes'][number]['callFrame']): string | undefined {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (functionName === '(program)') return 'node, outside JavaScript';
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(url)?.[1];
  if (library !== undefined) return library;
  return /\/((?:libs|services|test|cli|compose)\/[^?]*)\/[^/]+\.ts/.exec(url)?.[1]?.replace('/src', '');
}

function placeOf({ url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): string | undefined {
  const file = /([^/]+\/[^/]+)$/.exec(url)?.[1];
  return file === undefined ? undefined : `${file}:${lineNumber + 1}`;
}
