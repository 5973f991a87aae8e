// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import type { KafkaOptions } from '@clyra/adapter-kafka/kafka-options';
import { type ConfigOf, declareConfig } from '@clyra/runtime/config/declaration';
import { kafkaFields } from '@clyra/runtime/config/kafka-fields';
import { type Environment, loadConfig } from '@clyra/runtime/config/load-config';
import { httpUrlProblem } from '@clyra/runtime/config/shared-fields';
import { kafkaAccess } from '@clyra/runtime/kafka-access';

/** What the command line takes from the environment; its options win over it. */
export const cliDeclaration = declareConfig({
  dataDir: {
    env: 'CLYRA_DATA_DIR',
    type: 'text',
    default: '.clyra',
    text: 'Folder of the local installation: keys, trust root, credentials, blobs, logs. Also --data-dir.',
  },
  intakeUrl: {
    env: 'CLYRA_INTAKE_URL',
    type: 'text',
    optional: true,
    text: 'Address of intake. Also --intake. Without either: what `clyra up` started, else http://127.0.0.1:8081.',
    check: httpUrlProblem,
  },
});

export function cliConfig(): ConfigOf<typeof cliDeclaration> {
  return loadConfig(cliDeclaration, process.env);
}

/** TLS and sign-in for a cluster that `up` did not start, as the services are told of them. Throws CLY_KAFKA_ACCESS. */
export function clusterAccess(): Pick<KafkaOptions, 'ssl' | 'sasl'> {
  const { brokers: _brokers, clientId: _clientId, ...access } = kafkaAccess(loadConfig(kafkaFields, process.env), '');
  return access;
}

/** What a started service inherits of this process: the paths and the locale, no Clyra setting and no secret. */
export function inheritedEnvironment(): Record<string, string> {
  const env: Environment = process.env;
  const names = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'JAVA_HOME', 'NODE_EXTRA_CA_CERTS'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
