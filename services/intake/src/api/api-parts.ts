// SPDX-License-Identifier: Apache-2.0

import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { Credentials } from '../gateway/authenticate.ts';
import type { EdgeCounter } from '../gateway/edge-counter.ts';
import type { ChangePublisher } from '../log/change-publisher.ts';
import type { ChangeWriter } from '../log/change-writer.ts';
import type { ReceiptDesk } from '../log/receipt-desk.ts';
import type { ActivityLedger } from '../tenants/activity-ledger.ts';
import type { ChangeIndex } from '../tenants/change-index.ts';
import type { DocumentShelf } from '../tenants/document-shelf.ts';
import type { TenantDirectory } from '../tenants/tenant-directory.ts';

export type ApiParts = {
  readonly credentials: Credentials;
  readonly directory: TenantDirectory;
  readonly ledger: ActivityLedger;
  readonly index: ChangeIndex;
  readonly documents: DocumentShelf;
  readonly blobs: BlobStore;
  readonly desk: ReceiptDesk;
  readonly publisher: ChangePublisher;
  readonly writer: ChangeWriter;
  readonly edge: EdgeCounter;
  readonly clock: Clock;
  /** How long a command or run waits for its receipt, in milliseconds. */
  readonly commandHoldMs: number;
};
