// SPDX-License-Identifier: Apache-2.0
/** Where the tests of the `int` tier find a broker that somebody started for them. */
export type TestKafkaConfig = {
  readonly bootstrap: string;
  /** A second listener of that broker at `port`, advertised as `advertisedPort`: there a lossy proxy listens. */
  readonly lossy: { readonly port: number; readonly advertisedPort: number };
};

/**
 * CLYRA_TEST_KAFKA: `host:port`. CLYRA_TEST_KAFKA_LOSSY: `port:advertisedPort` of the listener behind the proxy.
 * The defaults are the ports of the local stack.
 */
export function testKafkaConfig(): TestKafkaConfig {
  const bootstrap = process.env['CLYRA_TEST_KAFKA'] ?? '127.0.0.1:29092';
  const [port, advertisedPort] = (process.env['CLYRA_TEST_KAFKA_LOSSY'] ?? '29094:29095').split(':').map(Number);
  if (port === undefined || advertisedPort === undefined || !Number.isInteger(port + advertisedPort)) {
    throw new Error('CLYRA_TEST_KAFKA_LOSSY must be `port:advertisedPort`, for example 29094:29095');
  }
  return { bootstrap, lossy: { port, advertisedPort } };
}
