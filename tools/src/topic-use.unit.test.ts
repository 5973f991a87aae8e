// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { topicCatalogue, topicsOfService } from '@clyra/runtime/topics';
import { expect, it } from '@jest/globals';

const SERVICES = new URL('../../services/', import.meta.url).pathname;

/** Topics that the sources of a service name, its tests and their support apart. */
function topicsInSources(service: string): readonly string[] {
  const folder = join(SERVICES, service, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('test-support'),
  );
  const text = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  return topicCatalogue()
    .topics.filter(({ per_tenant: perTenant }) => perTenant !== true)
    .map(({ name }) => name)
    .filter((name) => new RegExp(`\\btopics\\.${name}\\b`).test(text));
}

it.each(readdirSync(SERVICES))('the catalogue, and so the ACLs, give %s exactly the topics that it uses', (service) => {
  const granted = topicsOfService(service, 't').map((topic) => topic.slice(2));
  expect(granted).toEqual(topicsInSources(service));
});
