// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';

/** The keys of a local installation, by file name; `people` sign commands, the others sign for a service. */
export const PEOPLE = ['operator', 'second-operator', 'policy-author', 'policy-approver', 'approver'] as const;
export const SERVICES = ['enforcer', 'intake', 'recorder', 'bundler', 'attestor'] as const;
export type Person = (typeof PEOPLE)[number];
export type ServiceName = (typeof SERVICES)[number];
/**
 * `log` signs checkpoints beside the bundler's own key: a log's origin outlives the service that serves it. `human-door`
 * signs the approvals that people give at intake's door.
 */
export type KeyName = Person | ServiceName | 'root' | 'log' | 'human-door';

/** Where everything of a local installation lies. All paths are absolute. */
export type LocalLayout = {
  readonly dataDir: string;
  readonly keysDir: string;
  readonly trustRootFile: string;
  readonly trustRootDsseFile: string;
  readonly credentialsFile: string;
  /** Identity providers of approvers; where there is none, the human door stays shut. */
  readonly identityFile: string;
  /** Vendors that deliver, and keys held for upstreams; where there is none, nobody delivers. */
  readonly activationFile: string;
  /** The recorder's databases, with their passwords. */
  readonly sourcesFile: string;
  /** Databases that redeem grants, with the keys of their guards; there once a guard was installed. */
  readonly grantPlacesFile: string;
  /** Key of the request fingerprints: the same for ever, or repeated requests look new. */
  readonly fingerprintFile: string;
  readonly settingsFile: string;
  readonly blobDir: string;
  readonly logsDir: string;
  readonly stateDir: string;
  /** Keys and certificates of the local time-stamping authority. */
  readonly tsaDir: string;
  /** Where @clyra/stack keeps the data and logs of Kafka, the registry and PostgreSQL: folders of its own in here. */
  readonly stackDir: string;
  /** Which service processes `up` started: pid, start time, address. */
  readonly servicesFile: string;
};

export function localLayout(dataDir: string): LocalLayout {
  const root = resolve(dataDir);
  return {
    dataDir: root,
    keysDir: join(root, 'keys'),
    trustRootFile: join(root, 'trust-root.json'),
    trustRootDsseFile: join(root, 'trust-root.dsse.json'),
    credentialsFile: join(root, 'credentials.json'),
    identityFile: join(root, 'identity.json'),
    activationFile: join(root, 'activation.json'),
    sourcesFile: join(root, 'sources.json'),
    grantPlacesFile: join(root, 'grant-places.json'),
    fingerprintFile: join(root, 'keys', 'fingerprint.secret'),
    settingsFile: join(root, 'settings.json'),
    blobDir: join(root, 'blobs'),
    logsDir: join(root, 'logs'),
    stateDir: join(root, 'state'),
    tsaDir: join(root, 'tsa'),
    stackDir: root,
    servicesFile: join(root, 'services.json'),
  };
}

export function keyFileOf(layout: LocalLayout, name: KeyName): string {
  return join(layout.keysDir, `${name}.pem`);
}
