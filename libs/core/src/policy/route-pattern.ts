// SPDX-License-Identifier: Apache-2.0
import { isParameter, templateSegments } from './route-template.ts';

/** A path in which `*` stands for one segment, and at the end for any number of them, none included. */
const PATH_PATTERN = /^\/(?:(?:[A-Za-z0-9._~:@!$&'()+,;={}-]{1,128}|\*)(?:\/(?!$)|$)){0,32}$/;

export function isPathPattern(text: string): boolean {
  return text.startsWith('/') && PATH_PATTERN.test(text);
}

/** True where some path of the template fits the pattern: a rule for `/refunds/*` must not miss a refund. */
export function patternCovers(pattern: string, template: string): boolean {
  const wanted = templateSegments(pattern);
  const segments = templateSegments(template);
  const open = wanted.at(-1) === '*';
  const fixed = open ? wanted.slice(0, -1) : wanted;
  if (segments.length < fixed.length || (!open && segments.length > fixed.length)) return false;
  return fixed.every((part, index) => {
    const segment = segments[index] as string;
    return part === '*' || part === segment || isParameter(segment) || isParameter(part);
  });
}
