// SPDX-License-Identifier: Apache-2.0
/** What a reason code means for the person who asked, and what to do about it. */
export type ReasonWords = { readonly means: string; readonly next: string };

const SEND_AGAIN = 'Correct the request and send it again with a new nonce.';
const SIGN_ANEW = 'Issue the command anew and have it signed again.';
const ASK_STATUS = 'See `clyra status`; if it repeats, tell the operator.';

/** Complete: a test reads the codes out of the core and fails where one has no words. */
const WORDS: Readonly<Record<string, ReasonWords>> = {
  CLY_ACTIVATION_BATCH_SIZE: {
    means: 'a delivery has over 1,000 records',
    next: 'Have the vendor send smaller batches.',
  },
  CLY_ACTIVATION_BATCH_UNSIGNED: {
    means: 'Segment signs only the first event of a batch, and its source has no token',
    next: 'Add the token at the vendor and in the activation file.',
  },
  CLY_ACTIVATION_ID: {
    means: 'a record lacks one of the values that the source’s ids name, or it is no text, number or boolean',
    next: 'Have the vendor send it, or correct `ids` in the activation file.',
  },
  CLY_ACTIVATION_IDEMPOTENCY: {
    means: 'the route has no idempotency rule with required, so that a retry would have a second effect',
    next: 'Add the rule to the policy.',
  },
  CLY_ACTIVATION_ID_REPEATED: {
    means: 'two records of one batch have the same ids',
    next: 'Name in `ids` what tells one change from the next.',
  },
  CLY_ACTIVATION_RECORDS: {
    means: 'the source’s records name no list in the body, or an empty one',
    next: 'Correct `records` in the activation file.',
  },
  CLY_ACTIVATION_ROUTE: {
    means: 'the route takes deliveries of another kind or none, or the request is no delivery',
    next: 'Send it to a route with this adapter, or sign the request as a caller.',
  },
  CLY_ACTIVATION_SIGNATURE: {
    means: 'the delivery’s token or signature is not its source’s, or missing',
    next: 'Exchange the key on both sides.',
  },
  CLY_ACTIVATION_TIMESTAMP: {
    means: 'the delivery was signed over five minutes ago',
    next: 'Look at the clocks; a recorded delivery is not taken.',
  },
  CLY_AUTH_MALFORMED: {
    means: 'tenant, actor, nonce, run id or time-stamp is not of the right form',
    next: 'Send these headers as services/intake/README.md says.',
  },
  CLY_AMOUNT_MISSING: {
    means: 'an amount that the policy counts is not in the body, or is no plain decimal',
    next: 'Write the amount as 12.50, without sign or exponent, and its currency as EUR.',
  },
  CLY_APPROVAL_EMERGENCY: {
    means: 'the policy does not allow approvals in an emergency',
    next: 'Have it approved, or change break_glass in the policy.',
  },
  CLY_APPROVAL_GRADE: {
    means: 'the approver’s sign-in is not strong enough for this route',
    next: 'Sign in with a second factor, or with one that cannot be phished.',
  },
  CLY_APPROVAL_IDP: {
    means: 'the approver’s identity provider is not one that the policy names',
    next: 'Sign in at one of idp_domains.',
  },
  CLY_APPROVAL_LOGIN: { means: 'the approver signed in too long ago', next: 'Sign in again, then approve.' },
  CLY_APPROVAL_MFA: {
    means: 'the provider does not say that a second factor was used',
    next: 'Sign in with a second factor.',
  },
  CLY_APPROVAL_NONCE: {
    means: 'the challenge of this approval was used before',
    next: 'Open the approval page again: each has its own challenge.',
  },
  CLY_APPROVAL_PAYLOAD: {
    means: 'the approval is for another payload',
    next: 'Look at what is held now and approve that.',
  },
  CLY_APPROVAL_REPEATED: { means: 'this person has approved it already', next: 'Another person must approve it.' },
  CLY_APPROVAL_REQUESTER: {
    means: 'the approval is for another requester',
    next: 'Look at what is held now and approve that.',
  },
  CLY_APPROVAL_REQUIRED: {
    means: 'the policy lets a person decide on this route',
    next: 'Have it approved, then repeat the same request; nothing was spent meanwhile.',
  },
  CLY_APPROVAL_ROUTE: {
    means: 'the approval is for another route or target',
    next: 'Look at what is held now and approve that.',
  },
  CLY_APPROVAL_SELF: {
    means: 'who asks for a change, carries it out or wrote it cannot approve it',
    next: 'Have another person approve it.',
  },
  CLY_APPROVAL_TTL: {
    means: 'the approval would be good for longer than 15 minutes',
    next: 'Issue it with a shorter life.',
  },
  CLY_APPROVAL_UNKNOWN: {
    means: 'nothing is held under this id, or it was used or has expired',
    next: 'Send the request again; it is held anew.',
  },
  CLY_AUTH_REPLAYED: { means: 'the same signed request was seen before', next: SEND_AGAIN },
  CLY_BODY_ITEMS: {
    means: 'the list that the route’s bodies consist of is not there, or has nothing in it',
    next: 'Send at least one item, where the policy says that the list stands (routes: body).',
  },
  CLY_BODY_DIGEST_MISMATCH: { means: 'the body is not the one that was signed', next: SEND_AGAIN },
  CLY_BODY_DIGEST_MISSING: {
    means: 'the body came without its digest',
    next: 'Send the Content-Digest header (RFC 9530, sha-256) and sign it.',
  },
  CLY_BODY_ENCODING: { means: 'the body is compressed or coded', next: 'Send it without Content-Encoding.' },
  CLY_BODY_MEDIA_TYPE: { means: 'the body is not JSON by its Content-Type', next: 'Send application/json.' },
  CLY_BODY_TOO_LARGE: { means: 'the body is larger than the limit', next: 'Split it into several changes.' },
  CLY_CHANGE_ABANDONED: {
    means: 'intake had given up on this change before it was decided',
    next: 'Send it again; it was not forwarded and counts for nothing.',
  },
  CLY_CHANGE_CONFLICT: { means: 'another change has the same event id', next: SEND_AGAIN },
  CLY_CHANGE_NOT_UNKNOWN: {
    means: 'the change that the command resolves is not in doubt',
    next: 'Look at it with `clyra explain` before you resolve it.',
  },
  CLY_CHANGE_SET_BEYOND: {
    means: 'a member of the change set wants more than the effects of its route',
    next: 'Leave out what goes beyond, or have the policy changed; the detail names the first member that does.',
  },
  CLY_CHANGE_SET_MEMBER: {
    means: 'a member of the change set is not of the form that docs/spec/grants.md says',
    next: SEND_AGAIN,
  },
  CLY_CHANGE_SET_MISSING: { means: 'the body holds no change set where the policy looks for one', next: SEND_AGAIN },
  CLY_CHANGE_SET_SIZE: {
    means: 'the change set has more than 32 members or 12,288 bytes',
    next: 'Split it into several changes.',
  },
  CLY_CHANGE_SIGNATURE: {
    means: 'no intake that the trust root knows has signed this record',
    next: 'Check the key of intake against the trust root.',
  },
  CLY_COMMAND_VALIDITY: { means: 'the command would be valid for longer than 24 hours', next: SIGN_ANEW },
  CLY_COMMAND_EXPIRED: { means: 'the command is too old, or from the future', next: `Check the clock. ${SIGN_ANEW}` },
  CLY_COMMAND_MALFORMED: { means: 'the command lacks a member or has a wrong one', next: SIGN_ANEW },
  CLY_COMMAND_REPEATED: { means: 'this very command was carried out before', next: SIGN_ANEW },
  CLY_COMMAND_REPLACES: {
    means: 'what the command replaces is no longer what is in force',
    next: 'Somebody was faster: look at what is in force now, then issue it anew.',
  },
  CLY_COMMAND_ROLE: { means: 'no signer has the role that the command needs', next: 'Sign with a key of that role.' },
  CLY_COMMAND_SIGNATURE: { means: 'no signature of a known person holds', next: SIGN_ANEW },
  CLY_COMMAND_TWO_PERSONS: { means: 'the command needs two different people', next: 'Have a second person sign it.' },
  CLY_COST_CAP: {
    means: 'the run or the tenant would cost more than is allowed',
    next: 'Close the run, or raise the cap in the policy.',
  },
  CLY_COST_CURRENCY: { means: 'too many currencies were used', next: 'Use one of the currencies counted so far.' },
  CLY_DEPLOY_ARTIFACT: {
    means: 'the digest of the artifact is not in the body',
    next: 'Name it where the policy says.',
  },
  CLY_DEPLOY_AUTHOR: { means: 'the author of the commit is not in the body', next: 'Name them where the policy says.' },
  CLY_DEPLOY_COMMIT: { means: 'no commit SHA is in the body', next: 'Name it where the policy says.' },
  CLY_DEPLOY_ENVIRONMENT: { means: 'the environment is not in the body', next: 'Name it where the policy says.' },
  CLY_DEPLOY_IN_FLIGHT: { means: 'the same deployment is under way', next: 'Wait for its outcome.' },
  CLY_DEPLOY_RATE: { means: 'too many deployments in an hour', next: 'Wait, and look at what triggers them.' },
  CLY_DEPLOY_REPEATED: {
    means: 'this commit or artifact was deployed here before',
    next: 'Nothing: it is there. A rollback needs a commit of its own.',
  },
  CLY_DEPLOY_SELF: { means: 'the author of the commit may not deploy it', next: 'Have another person deploy it.' },
  CLY_DEPLOY_UNKNOWN: { means: 'what became of the first deployment is not known', next: 'An operator resolves it.' },
  CLY_DETECTOR_NOT_CHECKED: {
    means: 'the texts of the body were not looked at',
    next: 'Send it again; if it repeats, tell the operator.',
  },
  CLY_DETECTOR_PROMPT_INJECTION: {
    means: 'a text looks like instructions to a model',
    next: 'Look at the text; the receipt names the pattern.',
  },
  CLY_DETECTOR_SECRET: {
    means: 'a text looks like a key or a password',
    next: 'Take it out; the receipt names the pattern.',
  },
  CLY_DETECTOR_SOCIAL_ENGINEERING: {
    means: 'a text looks like an attempt to talk somebody into something',
    next: 'Ask the person it speaks for, another way.',
  },
  CLY_DETECTOR_TECHNICAL_INDICATOR: {
    means: 'a text has a shell command, a metadata address or the like',
    next: 'Look at the text; the receipt names the pattern.',
  },
  CLY_EMERGENCY_SELF: { means: 'who used an emergency cannot review it', next: 'Have another person review it.' },
  CLY_EMERGENCY_UNKNOWN: { means: 'no emergency under this id waits for review', next: 'Look at the overdue list.' },
  CLY_ENGINE_UNSUPPORTED: { means: 'this version does not have that engine', next: 'Update the enforcers first.' },
  CLY_EXTERNAL_NOT_CHECKED: {
    means: 'the external detector was not asked',
    next: 'Send it again; if it repeats, tell the operator.',
  },
  CLY_EXTERNAL_OUTAGE: {
    means: 'the external detector gave no usable answer',
    next: 'Try again; the receipt says which class of outage it was.',
  },
  CLY_EXTERNAL_VERDICT: {
    means: 'the external detector says that media or message are not genuine',
    next: 'Ask the person another way.',
  },
  CLY_FENCE_ACTOR: {
    means: 'the request names an actor that its credential is not',
    next: 'Let header, body and credential name the same actor.',
  },
  CLY_FENCE_HEADER: {
    means: 'a header that the policy requires is missing',
    next: 'Send the header that the reason names.',
  },
  CLY_FENCE_TENANT: {
    means: 'the request names a tenant that its credential does not belong to',
    next: 'Let header, body and credential name the same tenant.',
  },
  CLY_IDEMPOTENCY_IN_FLIGHT: {
    means: 'the first request with this idempotency key still runs',
    next: 'Wait for its outcome.',
  },
  CLY_IDEMPOTENCY_MISMATCH: {
    means: 'the idempotency key belongs to a request with another content',
    next: 'Use a new key for a new change.',
  },
  CLY_IDEMPOTENCY_MISSING: { means: 'the route needs an idempotency key', next: 'Send the Idempotency-Key header.' },
  CLY_IDEMPOTENCY_REPEAT: {
    means: 'this change was made before under the same idempotency key',
    next: 'Nothing: it is done. The receipt names the first one.',
  },
  CLY_IDEMPOTENCY_SYNTAX: {
    means: 'the idempotency key is not a quoted text of the right form',
    next: SEND_AGAIN,
  },
  CLY_IDEMPOTENCY_UNKNOWN: {
    means: 'what became of the first request with this key is not known',
    next: 'An operator resolves the first one; until then the key stays closed.',
  },
  CLY_INTAKE_STALE: { means: 'an intake that was replaced has written this record', next: SEND_AGAIN },
  CLY_KILL_SWITCH: {
    means: 'an operator has engaged the kill switch',
    next: 'Ask the operator; `clyra kill-switch lift` takes two people.',
  },
  CLY_KILL_SWITCH_ENGAGED: { means: 'this kill switch is engaged already', next: 'Nothing.' },
  CLY_KILL_SWITCH_NOT_ENGAGED: { means: 'this kill switch is not engaged', next: 'Check the scope.' },
  CLY_KILL_SWITCH_TRIPPED: {
    means: 'a threshold of the policy was reached, and the switch threw itself',
    next: 'Find out why it failed so often; it comes back after its time.',
  },
  CLY_LOOP_ACTIONS: { means: 'too many actions in a minute', next: 'Slow the agent down.' },
  CLY_LOOP_COOL_OFF: {
    means: 'a loop was broken here, and the scope rests',
    next: 'Wait, and look at what repeats itself.',
  },
  CLY_LOOP_PING_PONG: { means: 'two actors answer each other again and again', next: 'Stop one of them.' },
  CLY_LOOP_REPEAT: { means: 'the same action came again and again', next: 'Look at why the agent repeats it.' },
  CLY_POLICY_INVALID: {
    means: 'the policy in force cannot be used by this version',
    next: 'Correct it and activate it anew with `clyra policy apply`.',
  },
  CLY_POLICY_MOVED: {
    means: 'the policy changed between inspection and decision',
    next: 'Send it again; it will be inspected under the new policy.',
  },
  CLY_ROUTE_TARGET: { means: 'the path is not written in the one accepted way', next: 'Send a plain path.' },
  CLY_ROUTE_UNKNOWN: {
    means: 'no route of the policy matches',
    next: 'Check method and path, or add the route to the policy.',
  },
  CLY_RULE_INVALID: {
    means: 'the body breaks a business rule of the policy',
    next: 'See the place and the keyword in the detail; correct the body, or have it approved if it is held.',
  },
  CLY_RULE_NOT_CHECKED: {
    means: 'a business rule could not look at the whole body',
    next: 'Correct what else the receipt names; the rule is checked then.',
  },
  CLY_RUN_ACTOR: {
    means: 'another actor opened this run',
    next: 'Let its opener close it, or wait until it has had no record for a day.',
  },
  CLY_RUN_CLOSED: { means: 'a run with this id was closed within the last 7 days', next: 'Choose another run id.' },
  CLY_RUN_EXISTS: { means: 'a run with this id is open', next: 'Choose another run id.' },
  CLY_RUN_UNKNOWN: { means: 'no such run is open for this actor', next: 'Open it with `clyra run open`.' },
  CLY_SCHEMA_INVALID: {
    means: 'the body breaks the schema of its route',
    next: 'Correct the places that intake named in its answer.',
  },
  CLY_SCHEMA_NOT_CHECKED: { means: 'the body could not be checked against its schema', next: SEND_AGAIN },
  CLY_SCHEMA_OTHER: { means: 'the body was checked against another schema', next: 'Send it again.' },
  CLY_SOURCE_EXISTS: { means: 'a source with this id is registered', next: 'Choose another source id.' },
  CLY_SQL_NOT_CHECKED: {
    means: 'the statement was not analysed',
    next: 'Name it where the policy says, in the dialect that it says.',
  },
  CLY_SQL_ROWS: {
    means: 'the statement changes more rows than is allowed, or does not say how many',
    next: 'Split it, or take a maintenance route.',
  },
  CLY_STATE_FULL: { means: 'a limit of the tenant’s state is reached', next: ASK_STATUS },
  CLY_STREAM_EXISTS: { means: 'the partition is open already', next: 'Nothing.' },
  CLY_STREAM_NOT_OPENED: { means: 'the partition has not been opened', next: ASK_STATUS },
  CLY_TENANT_EXISTS: { means: 'the tenant is open already', next: 'Nothing.' },
  CLY_TENANT_PARTITION: { means: 'the tenant belongs to another partition', next: ASK_STATUS },
  CLY_TENANT_UNKNOWN: { means: 'the tenant has not been opened', next: 'Open it with `clyra tenant open`.' },
  CLY_TIME_SKEW: {
    means: 'the clocks of intake and the log differ by more than is allowed',
    next: 'Check the time synchronisation of both machines, then send it again.',
  },
  CLY_VELOCITY_AMOUNT_EXCEEDED: {
    means: 'the amount is more than what is left in the window of a rate limit',
    next: 'Wait until the window has room, or split the change; the receipt says what is left.',
  },
  CLY_VELOCITY_CURRENCY: {
    means: 'no limit is set for the currency, or too many currencies were used',
    next: 'Use a currency that the rule names, or add it to the policy.',
  },
  CLY_VELOCITY_EXCEEDED: {
    means: 'too many actions in the window of a rate limit',
    next: 'Wait until the window has room; the receipt says when.',
  },
  CLY_VELOCITY_KEY_MISSING: {
    means: 'the value that a rate limit counts by is not in the body',
    next: SEND_AGAIN,
  },
  CLY_VOICE_ATTESTATION: {
    means: 'the network does not vouch for the calling number as far as the policy asks',
    next: 'Call the person back on a number that is known.',
  },
  CLY_VOICE_BARGE_IN: {
    means: 'nobody could have interrupted for long enough',
    next: 'Let the person interrupt before the action.',
  },
  CLY_VOICE_CONTRADICTED: {
    means: 'what is said about the call cannot all be true',
    next: 'Start a new session, and look at the partner’s call log.',
  },
  CLY_VOICE_DISCLAIMER: {
    means: 'the disclaimer was not played and acknowledged',
    next: 'Play it, and have it acknowledged.',
  },
  CLY_VOICE_ENDED: { means: 'the call was over', next: 'Act while the person is on the line.' },
  CLY_VOICE_SESSION: { means: 'no voice session is named', next: 'Name it where the policy says.' },
  CLY_VOICE_STALE: {
    means: 'the partner’s newest record of the call is too old',
    next: 'Have the partner report each call while it lasts.',
  },
  CLY_VOICE_UNATTESTED: {
    means: 'only the caller says so, and the policy wants a partner’s word',
    next: 'Have the telephony partner report the conversation.',
  },
  CLY_WINDOW_NUMBER: { means: 'another intake has moved this clock already', next: 'Nothing.' },
};

const FAMILIES: readonly (readonly [prefix: string, words: ReasonWords])[] = [
  [
    'CLY_SQL_',
    {
      means: 'the statement changes more than it should, or could not be proved not to',
      next: 'Correct the statement, or have it approved.',
    },
  ],
  [
    'CLY_DBT_',
    {
      means: 'dbt’s test results are not in the body, or do not allow the change',
      next: 'Mend what fails in dbt, run its tests again and send the new run_results.json.',
    },
  ],
  ['CLY_JSON_', { means: 'the body is not acceptable JSON', next: SEND_AGAIN }],
  ['CLY_RECORD_', { means: 'the record cannot be read', next: 'See clyra.quarantine for its bytes.' }],
];

export function reasonWords(code: string): ReasonWords | undefined {
  return WORDS[code] ?? FAMILIES.find(([prefix]) => code.startsWith(prefix))?.[1];
}
