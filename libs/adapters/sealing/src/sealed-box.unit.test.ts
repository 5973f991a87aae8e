// SPDX-License-Identifier: Apache-2.0
import { DISCLOSURES_BYTES_MAX } from '@clyra/core/disclosure/disclosures';
import { describe, expect, it } from '@jest/globals';
import { makeSealingKey, openSealed, sealingKeyOf, sealTo } from './sealed-box.ts';

const SECRET = Buffer.from('{"leaf":1}\n');

describe('sealed disclosures', () => {
  const auditor = makeSealingKey();
  const sealed = sealTo(auditor.publicKey, SECRET);

  it('open for their recipient, whose key may come from a file', () => {
    expect(Buffer.from(openSealed(sealed, sealingKeyOf(auditor.secretKey))).equals(SECRET)).toBe(true);
  });

  it('never look the same twice', () => {
    expect(Buffer.from(sealTo(auditor.publicKey, SECRET)).equals(sealed)).toBe(false);
  });

  it('stay closed for anybody else', () => {
    expect(() => openSealed(sealed, makeSealingKey())).toThrow(expect.objectContaining({ code: 'CLY_SEALED_CLOSED' }));
  });

  it('do not open with any byte changed', () => {
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => openSealed(changed, auditor)).toThrow();
    }
  });

  it('are refused where key or size are not right', () => {
    expect(() => sealTo(Buffer.alloc(31), SECRET)).toThrow(expect.objectContaining({ code: 'CLY_SEALING_KEY' }));
    expect(() => sealingKeyOf(Buffer.alloc(33))).toThrow(expect.objectContaining({ code: 'CLY_SEALING_KEY' }));
    expect(() => sealTo(auditor.publicKey, Buffer.alloc(DISCLOSURES_BYTES_MAX + 1))).toThrow(
      expect.objectContaining({ code: 'CLY_SEALED_SIZE' }),
    );
    expect(() => openSealed(Buffer.from('{}'), auditor)).toThrow(expect.objectContaining({ code: 'CLY_SEALED_SHAPE' }));
  });
});
