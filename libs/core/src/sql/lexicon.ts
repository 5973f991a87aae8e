// SPDX-License-Identifier: Apache-2.0
import type { SqlDialect } from '../change/sql-fact.ts';

/** How a dialect writes strings, names and comments, as far as its servers agree with themselves. */
export type Lexicon = {
  /** Characters that open and close a text or a quoted name; the closing one doubled stands for itself. */
  readonly quotes: Readonly<Record<string, string>>;
  readonly hashComments: boolean;
  readonly dollarQuotes: boolean;
  readonly nestedComments: boolean;
  /** A backslash escapes the quote after it; elsewhere, or by a setting, it does not. */
  readonly backslash: boolean;
  /** `--` begins a comment only before a blank; else it is two minus signs. */
  readonly dashesNeedBlank?: boolean;
};

const SINGLE_DOUBLE = { "'": "'", '"': '"' };
const WITH_BACKTICK = { ...SINGLE_DOUBLE, '`': '`' };

export const LEXICONS: Readonly<Record<SqlDialect, Lexicon>> = {
  postgres: { quotes: SINGLE_DOUBLE, hashComments: false, dollarQuotes: true, nestedComments: true, backslash: false },
  snowflake: { quotes: SINGLE_DOUBLE, hashComments: false, dollarQuotes: true, nestedComments: false, backslash: true },
  databricks: {
    quotes: WITH_BACKTICK,
    hashComments: false,
    dollarQuotes: false,
    nestedComments: true,
    backslash: true,
  },
  spark: { quotes: WITH_BACKTICK, hashComments: false, dollarQuotes: false, nestedComments: true, backslash: true },
  bigquery: { quotes: WITH_BACKTICK, hashComments: true, dollarQuotes: false, nestedComments: false, backslash: true },
  mysql: {
    quotes: WITH_BACKTICK,
    hashComments: true,
    dollarQuotes: false,
    nestedComments: false,
    backslash: true,
    dashesNeedBlank: true,
  },
  tsql: {
    quotes: { ...SINGLE_DOUBLE, '[': ']' },
    hashComments: false,
    dollarQuotes: false,
    nestedComments: true,
    backslash: false,
  },
};
