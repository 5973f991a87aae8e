// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals';
import { systemUsers } from './postgres-user.ts';

it('systemUsers leaves out root, whatever it is called, and lines that are none', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nnobody:x:65534:65534::/:/bin/false\n+::::::\n\n';
  expect(systemUsers(passwd)).toEqual([{ name: 'nobody', uid: 65534, gid: 65534 }]);
});
