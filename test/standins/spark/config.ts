// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

const { PATH, JAVA_HOME } = process.env;

export const sparkConfig = {
  /** Spark is 460 MB and takes minutes: `make test-long` sets it; the gate has what Spark answered (recorded/). */
  isAsked: process.env['CLYRA_SPARK'] === '1',
  /** After another version of Spark or Delta was pinned: what it answers becomes the recording, and wants to be read. */
  isRecording: process.env['CLYRA_SPARK_RECORD'] === '1',
  /** Where a JVM is found. Nothing else of the environment reaches it. */
  java: { PATH, ...(JAVA_HOME === undefined ? {} : { JAVA_HOME }) },
};
