// SPDX-License-Identifier: Apache-2.0
/** The line on each generated page that keeps people from editing it. */
export const WRITTEN_BY = 'Written by `make docs`; a test compares it with the sources. Do not edit.';
