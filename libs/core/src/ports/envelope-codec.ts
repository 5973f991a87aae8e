// SPDX-License-Identifier: Apache-2.0
/** The envelopes of schemas/avro as decoded values. Routing copies must equal the body, or the record is quarantined. */
export type Envelopes = {
  ChangeEnvelope: {
    readonly body: Uint8Array;
    readonly signature: Uint8Array;
    readonly tenant: string;
    readonly kind: string;
    readonly event_id: string;
  };
  ReceiptEnvelope: {
    readonly body: Uint8Array;
    readonly signature: Uint8Array | null;
    /** 32 bytes: the partition chain after this body. */
    readonly chain: Uint8Array;
    readonly tenant: string;
    readonly kind: string;
    readonly event_id: string;
    readonly offset: number;
  };
  ObservationEnvelope: {
    readonly body: Uint8Array;
    readonly signature: Uint8Array;
    readonly tenant: string;
    readonly kind: string;
    readonly source_id: string;
    readonly observation_id: string;
  };
  JournalEnvelope: {
    readonly line: Uint8Array;
    readonly tenant: string;
    readonly source_topic: string;
    readonly source_partition: number;
    readonly source_offset: number;
  };
  BundleEnvelope: {
    readonly tenant: string;
    readonly origin: string;
    readonly range_start: number;
    readonly range_end: number;
    readonly manifest_digest: string;
    readonly location: string;
  };
  AttestationEnvelope: {
    readonly attestation: Uint8Array;
    readonly tenant: string;
    readonly manifest_digest: string;
    readonly location: string;
  };
  SnapshotEnvelope: { readonly pointer: Uint8Array; readonly key: string };
  EdgeEnvelope: { readonly body: Uint8Array };
  QuarantineEnvelope: {
    readonly record: Uint8Array;
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly reason: string;
  };
};

export type EnvelopeName = keyof Envelopes;

export interface EnvelopeCodec {
  encode<Name extends EnvelopeName>(name: Name, value: Envelopes[Name]): Uint8Array;
  /**
   * Throws CLY_SCHEMA_UNDECODABLE (retry: never) for bytes that no shipped schema reads: poison. It depends on nothing
   * but the bytes and this version's schemas, so that a re-fold finds the same poison.
   */
  decode<Name extends EnvelopeName>(name: Name, bytes: Uint8Array): Envelopes[Name];
}
