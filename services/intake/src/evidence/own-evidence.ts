// SPDX-License-Identifier: Apache-2.0
import { EvidenceSender, type EvidenceSenderParts } from './evidence-sender.ts';
import { OutageWatch } from './outage-watch.ts';
import { ReviewGaps } from './review-gaps.ts';

/** What an intake writes into its tenants' logs about itself. */
export class OwnEvidence {
  readonly outages: OutageWatch;
  readonly reviewGaps: ReviewGaps;
  readonly #sender: EvidenceSender;

  constructor(parts: EvidenceSenderParts) {
    this.#sender = new EvidenceSender(parts);
    const { clock } = parts;
    this.outages = new OutageWatch({ clock, sender: this.#sender });
    this.reviewGaps = new ReviewGaps({ clock, sender: this.#sender });
  }

  /** Writes down what is over, and gives up what cannot be stored in time. */
  async stop(deadlineMs: number): Promise<void> {
    this.outages.stop();
    await this.#sender.close(deadlineMs);
  }
}
