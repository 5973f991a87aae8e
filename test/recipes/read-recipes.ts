// SPDX-License-Identifier: Apache-2.0
/** One section of a page of recipes: what is done, and the words that show that it held. */
export type Recipe = {
  readonly title: string;
  /** Run by whoever hands the bundle over, before anything is damaged. */
  readonly sender: string;
  readonly script: string;
  /** Programs of the page, by file name. */
  readonly files: ReadonlyMap<string, string>;
  readonly mustPrint: string;
  readonly isLong: boolean;
};

const SECTION = /^## (.+)$/gm;
const FENCE = /^```(\w+)(?: ([\w./-]+))?\n([\s\S]*?)^```$/gm;
const INDENTED = /(?:^ {4}.*\n|^\n(?= {4}))+/gm;
const MUST_PRINT = /^It must print "([^"]+)"/m;

/** Sections with "It must print …", in order. Code stands in fences, or is indented by four spaces. */
export function readRecipes(page: string): Recipe[] {
  const starts = [...page.matchAll(SECTION)];
  return starts.flatMap((start, index) => {
    const section = page.slice(start.index, starts[index + 1]?.index);
    const mustPrint = MUST_PRINT.exec(section)?.[1];
    return mustPrint === undefined ? [] : [{ ...codeOf(section), ...titleOf(start[1] ?? ''), mustPrint }];
  });
}

function titleOf(title: string): Pick<Recipe, 'title' | 'isLong'> {
  return { title: title.replace(' (long)', ''), isLong: title.endsWith(' (long)') };
}

function codeOf(section: string): Pick<Recipe, 'sender' | 'script' | 'files'> {
  const fences = [...section.matchAll(FENCE)].map(([, language, name, code = '']) => ({ language, name, code }));
  const joined = (isSender: boolean): string =>
    fences
      .filter(({ language, name }) => language === 'sh' && (name === 'sender') === isSender)
      .map(({ code }) => code)
      .join('');
  const indented = [...section.matchAll(INDENTED)].map(([code]) => code.replaceAll(/^ {4}/gm, '')).join('');
  const files = fences.filter(({ language }) => language !== 'sh').map(({ name = '', code }) => [name, code] as const);
  return { sender: joined(true), script: fences.length > 0 ? joined(false) : indented, files: new Map(files) };
}
