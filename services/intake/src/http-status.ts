// SPDX-License-Identifier: Apache-2.0
/**
 * The one place that says which HTTP status a code has. A block may have several reasons: the first code in this order
 * speaks for it (who you are, what is closed, what the request is, what has happened already, how much).
 */
const STATUSES: readonly (readonly [prefix: string, status: number, title: string])[] = [
  ['CLY_AUTH_REPLAYED', 401, 'Request was sent before'],
  ['CLY_AUTH_', 401, 'Request is not authenticated'],
  ['CLY_FENCE_', 403, 'Tenant or actor is fenced off'],
  ['CLY_TENANT_UNKNOWN', 403, 'Tenant is not open here'],
  ['CLY_ACTIVATION_SIGNATURE', 401, 'Delivery is not proved'],
  ['CLY_ACTIVATION_BATCH_UNSIGNED', 401, 'Batch is not proved'],
  ['CLY_ACTIVATION_TIMESTAMP', 401, 'Delivery is too old'],
  ['CLY_ACTIVATION_ROUTE', 403, 'Route takes no such deliveries'],
  ['CLY_ACTIVATION_IDEMPOTENCY', 403, 'Route would repeat what is sent again'],
  ['CLY_KILL_SWITCH', 423, 'Stopped by a kill switch'],
  ['CLY_REQUEST_METHOD', 405, 'Method is not allowed'],
  ['CLY_REQUEST_TARGET_LENGTH', 414, 'Target is too long'],
  ['CLY_REQUEST_HEADER_COUNT', 431, 'Too many header fields'],
  ['CLY_REQUEST_HEADER_SIZE', 431, 'Header fields are too large'],
  ['CLY_REQUEST_TIMEOUT', 408, 'Request came too slowly'],
  ['CLY_REQUEST_', 400, 'Request is malformed'],
  ['CLY_ROUTE_TARGET', 400, 'Path has more than one reading'],
  ['CLY_ROUTE_', 403, 'Route is not allowed'],
  ['CLY_BODY_STORE_SIZE', 413, 'Body is too large to be kept'],
  ['CLY_BODY_STORE_', 503, 'Body could not be kept; nothing was forwarded'],
  ['CLY_BODY_TOO_LARGE', 413, 'Body is too large'],
  ['CLY_BODY_MEDIA_TYPE', 415, 'Media type is not supported'],
  ['CLY_BODY_ENCODING', 415, 'Content encoding is not supported'],
  ['CLY_BODY_TIMEOUT', 408, 'Body came too slowly'],
  ['CLY_BODY_', 400, 'Body does not match its headers'],
  ['CLY_ACTIVATION_BATCH_SIZE', 413, 'Batch has too many records'],
  ['CLY_ACTIVATION_RETRY', 503, 'Not everything was applied yet'],
  ['CLY_ACTIVATION_', 422, 'Delivery is not acceptable'],
  ['CLY_JSON_SIZE', 413, 'Body is too large'],
  ['CLY_JSON_', 400, 'Body is not acceptable JSON'],
  ['CLY_RECORD_', 400, 'Record is malformed'],
  ['CLY_SCHEMA_', 422, 'Body does not fit the schema'],
  ['CLY_RULE_', 422, 'Body breaks a business rule'],
  ['CLY_CHANGE_SET_BEYOND', 403, 'Change set goes beyond its route'],
  ['CLY_CHANGE_SET_', 422, 'Body is no change set'],
  ['CLY_DBT_', 422, 'Tests do not allow the change'],
  ['CLY_IDEMPOTENCY_SYNTAX', 400, 'Idempotency key is malformed'],
  ['CLY_IDEMPOTENCY_MISSING', 400, 'Idempotency key is missing'],
  ['CLY_IDEMPOTENCY_MISMATCH', 422, 'Idempotency key was used for another request'],
  ['CLY_IDEMPOTENCY_IN_FLIGHT', 409, 'Request with this idempotency key is in flight'],
  ['CLY_IDEMPOTENCY_REPEAT', 409, 'Request was made before'],
  ['CLY_IDEMPOTENCY_', 409, 'Outcome of the first request is unknown'],
  ['CLY_RUN_ACTOR', 403, 'Run belongs to another actor'],
  ['CLY_RUN_', 409, 'Run is not open'],
  ['CLY_CHANGE_CONFLICT', 409, 'Event id was used for another change'],
  ['CLY_CHANGE_NOT_FOUND', 404, 'Change is not known'],
  ['CLY_CHANGE_GONE', 410, 'Change is too old to be listed'],
  ['CLY_CHANGE_NOT_UNKNOWN', 409, 'Change is not unknown'],
  ['CLY_INTENT_EXPIRED', 408, 'Intent came too late'],
  ['CLY_INTENT_KEY_BUSY', 503, 'Too many intents of one key'],
  ['CLY_INTENT_NOT_FORWARDED', 503, 'Not forwarded'],
  ['CLY_INTENT_FAILED', 502, 'Upstream failed'],
  ['CLY_INTENT_UNKNOWN', 504, 'Outcome is not known'],
  ['CLY_INTENT_', 400, 'Intent is malformed'],
  ['CLY_VELOCITY_EXCEEDED', 429, 'Too many actions'],
  ['CLY_VELOCITY_AMOUNT_EXCEEDED', 429, 'Too large an amount'],
  ['CLY_VELOCITY_', 422, 'Body lacks what is counted'],
  ['CLY_AMOUNT_', 422, 'Body lacks an amount that is counted'],
  ['CLY_COMMAND_VALIDITY', 400, 'Command is valid for too long'],
  ['CLY_LOOP_', 429, 'Goes round in circles'],
  ['CLY_COST_', 429, 'Costs more than is allowed'],
  ['CLY_SQL_NOT_CHECKED', 422, 'SQL could not be read'],
  ['CLY_SQL_', 403, 'SQL is not allowed'],
  ['CLY_DEPLOY_IN_FLIGHT', 409, 'Deployment is under way'],
  ['CLY_DEPLOY_REPEATED', 409, 'Was deployed before'],
  ['CLY_DEPLOY_UNKNOWN', 409, 'Outcome of the first deployment is unknown'],
  ['CLY_DEPLOY_RATE', 429, 'Too many deployments'],
  ['CLY_DEPLOY_SELF', 403, 'Author and deployer are the same'],
  ['CLY_DEPLOY_', 422, 'Body lacks what a deployment needs'],
  ['CLY_VOICE_RECORD', 422, 'Call record is not acceptable'],
  ['CLY_VOICE_LOG_', 503, 'Call records could not be kept'],
  ['CLY_VOICE_', 403, 'Conversation does not comply'],
  ['CLY_DETECTOR_', 403, 'Refused by a detector'],
  ['CLY_EXTERNAL_OUTAGE', 503, 'Detector does not answer'],
  ['CLY_EXTERNAL_', 403, 'Refused by an external detector'],
  ['CLY_APPROVAL_REQUIRED', 428, 'Approval is required'],
  ['CLY_APPROVAL_UNKNOWN', 404, 'Nothing is held under this id'],
  ['CLY_APPROVAL_', 403, 'Approval is not acceptable'],
  ['CLY_HUMAN_PAGE', 404, 'There is no such page'],
  ['CLY_HUMAN_RATE', 429, 'Too many approvals at once'],
  ['CLY_HUMAN_STATE', 400, 'This sign-in does not go on'],
  ['CLY_HUMAN_NOT_SHOWN', 409, 'Change cannot be shown'],
  ['CLY_HUMAN_', 403, 'This is not for you'],
  ['CLY_OIDC_UNREACHABLE', 503, 'Identity provider does not answer'],
  ['CLY_OIDC_DENIED', 403, 'You were not signed in'],
  ['CLY_OIDC_', 403, 'Sign-in is not acceptable'],
  ['CLY_EMERGENCY_UNKNOWN', 404, 'No such emergency'],
  ['CLY_EMERGENCY_', 403, 'Own emergencies are reviewed by others'],
  ['CLY_COMMAND_MALFORMED', 400, 'Command is malformed'],
  ['CLY_COMMAND_SIGNATURE', 403, 'Command is not signed by a known person'],
  ['CLY_COMMAND_ROLE', 403, 'Signers may not give this command'],
  ['CLY_COMMAND_TWO_PERSONS', 403, 'Command needs two persons'],
  ['CLY_COMMAND_', 409, 'Command does not apply'],
  ['CLY_DOCUMENT_', 422, 'Document is not acceptable'],
  ['CLY_POLICY_MOVED', 503, 'Policy has just changed'],
  ['CLY_POLICY_', 422, 'Policy is not acceptable'],
  ['CLY_TRUST_ROOT_', 422, 'Trust root is not acceptable'],
  ['CLY_BLOB_CONFLICT', 409, 'Document is stored with other bytes'],
  ['CLY_RESPONSE_', 502, 'Upstream gave no acceptable answer'],
  ['CLY_UPSTREAM_TIMEOUT', 504, 'Upstream did not answer in time'],
  ['CLY_UPSTREAM_', 502, 'Upstream failed'],
];

const FAIL_CLOSED = { status: 503, title: 'Not decided; nothing was forwarded' };

export type StatusOfCode = { readonly status: number; readonly title: string };

/** Everything that is not listed fails closed as 503: it is no fault of the request. */
export function statusOfCode(code: string): StatusOfCode {
  const found = STATUSES.find(([prefix]) => code.startsWith(prefix));
  return found === undefined ? FAIL_CLOSED : { status: found[1], title: found[2] };
}

/** The code that speaks for several reasons. */
export function leadingCode(codes: readonly string[]): string {
  const rank = (code: string): number => {
    const index = STATUSES.findIndex(([prefix]) => code.startsWith(prefix));
    return index === -1 ? -1 : index;
  };
  return codes.reduce(
    (best, code) => (rank(code) < rank(best) ? code : best),
    codes[0] ?? 'CLY_RECEIPT_WITHOUT_REASON',
  );
}
