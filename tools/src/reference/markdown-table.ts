// SPDX-License-Identifier: Apache-2.0

/** A Markdown table; cells are made harmless, and no column is padded, so that one new row is a diff of one line. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |\n`;
  return `${line(head)}|${head.map(() => '---|').join('')}\n${rows.map(line).join('')}`;
}

/** `<` opens a tag outside of code, where Markdown takes it as it is. */
function cell(text: string): string {
  const harmless = text.split('`').map((part, index) => (index % 2 === 0 ? part.replaceAll('<', '&lt;') : part));
  return harmless.join('`').replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}
