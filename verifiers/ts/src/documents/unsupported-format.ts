// SPDX-License-Identifier: Apache-2.0

/** The manifest names a format or profile of another version. */
export class UnsupportedFormat extends Error {}
