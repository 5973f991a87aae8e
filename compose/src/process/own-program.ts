// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';

/** Program and arguments that run one of this package's own modules, from source or from the build alike. */
export function ownProgram(modulePath: string): { readonly program: string; readonly args: readonly string[] } {
  const fromSource = import.meta.url.endsWith('.ts');
  const file = fileURLToPath(new URL(`../${modulePath}.${fromSource ? 'ts' : 'js'}`, import.meta.url));
  const conditions = fromSource ? ['--conditions=@clyra/source'] : [];
  return { program: process.execPath, args: [...conditions, '--no-warnings=ExperimentalWarning', file] };
}
