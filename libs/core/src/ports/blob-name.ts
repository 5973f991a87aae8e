// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

/** `VERIFY.md` is the one file of a bundle (docs/spec/bundle.md §1) whose name is outside the rule. */
const SEGMENT = /^(?:[a-z0-9][a-z0-9._-]*|VERIFY\.md)$/;
/** Common file systems end a name at 255 bytes; a temporary name needs some of them. */
const SEGMENT_SIZE_MAX = 200;
const NAME_SIZE_MAX = 1_024;

/**
 * The segments of a blob name (ports/blob-store). A segment never starts with a dot, so no name climbs out of the
 * store and none meets a temporary file. Throws CLY_BLOB_NAME.
 */
export function segmentsOf(name: string): readonly string[] {
  const segments = name.split('/');
  const valid =
    name.length <= NAME_SIZE_MAX && segments.every((part) => part.length <= SEGMENT_SIZE_MAX && SEGMENT.test(part));
  if (valid) return segments;
  throw new ClyraError(
    'CLY_BLOB_NAME',
    'a blob name has segments of a-z, 0-9, dot, underscore and hyphen between slashes, each starting with a letter or digit',
    { retry: 'never', context: { name: name.slice(0, 200) } },
  );
}

/** A prefix is empty, or a name, or a name with a slash behind it; it ends between or inside segments. */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') segmentsOf(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
}
