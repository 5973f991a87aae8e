-- SPDX-License-Identifier: Apache-2.0
-- The guard of Clyra on Snowflake: a procedure that redeems a grant, runs the one statement it allows, and leaves a row
-- that says which statement that was. Run it as a role that may create databases and roles. Never executed on an account.

CREATE DATABASE IF NOT EXISTS CLYRA;
CREATE SCHEMA IF NOT EXISTS CLYRA.GUARD WITH MANAGED ACCESS;
CREATE ROLE IF NOT EXISTS CLYRA_GUARD_OWNER;

-- Secrets of the places that redeem, 64 hex digits each: nobody but the owner reads them.
CREATE TABLE IF NOT EXISTS CLYRA.GUARD.GRANT_KEYS (
  SOURCE_ID VARCHAR NOT NULL,
  KEY_HEX VARCHAR NOT NULL
);

-- One row for each grant that was used. Snowflake enforces no unique key: the lock below keeps it one.
CREATE TABLE IF NOT EXISTS CLYRA.GUARD.REDEMPTIONS (
  REDEMPTION_ID VARCHAR NOT NULL,
  TOKEN_HASH VARCHAR NOT NULL,
  QUERY_ID VARCHAR NOT NULL,
  REDEEMED_AT TIMESTAMP_TZ NOT NULL
);

-- Redeemers write this row first, and so wait for each other.
CREATE TABLE IF NOT EXISTS CLYRA.GUARD.REDEEM_LOCK (ID NUMBER NOT NULL, TURNS NUMBER NOT NULL);
MERGE INTO CLYRA.GUARD.REDEEM_LOCK USING (SELECT 1 AS ID) AS ONE ON REDEEM_LOCK.ID = ONE.ID
  WHEN NOT MATCHED THEN INSERT (ID, TURNS) VALUES (1, 0);

-- What a grant says, or why it says nothing (docs/spec/grants.md): base64 of canonical JSON, a dot, HMAC-SHA256 in hex.
CREATE OR REPLACE FUNCTION CLYRA.GUARD.READ_GRANT(GRANT_TEXT VARCHAR, KEY_HEX VARCHAR, STATEMENT VARCHAR, NOW_MS NUMBER)
RETURNS VARIANT
LANGUAGE PYTHON
RUNTIME_VERSION = '3.11'
HANDLER = 'read_grant'
AS
$$
import base64
import hashlib
import hmac
import json

DOMAIN = b"clyra/grant/v0\n"
EARLY_MS = 5000


def refused(why):
    return {"refused": why}


def read_grant(grant_text, key_hex, statement, now_ms):
    if not grant_text or not key_hex or not statement:
        return refused("something is missing")
    payload_text, _, mac_hex = grant_text.rpartition(".")
    try:
        payload = base64.b64decode(payload_text, validate=True)
        mac = hmac.new(bytes.fromhex(key_hex), DOMAIN + payload, hashlib.sha256).hexdigest()
    except ValueError:
        return refused("it is no grant")
    if not hmac.compare_digest(mac, mac_hex):
        return refused("its MAC does not hold")
    grant = json.loads(payload)
    if grant["role"] is not None:
        return refused("it is for one role, which an owner's procedure cannot check")
    if grant["member"] != hashlib.sha256(statement.encode()).hexdigest():
        return refused("it is not for this statement")
    if not grant["not_before"] - EARLY_MS <= int(now_ms) <= grant["expires_at"]:
        return refused("it is not valid now")
    if statement.split(None, 1)[0].upper() not in ("INSERT", "UPDATE", "DELETE", "MERGE"):
        return refused("only INSERT, UPDATE, DELETE and MERGE run in a transaction of their own")
    return {
        "source_id": grant["source_id"],
        "database": grant["database"],
        "rows_max": grant["rows_max"],
        "token_hash": hashlib.sha256(grant["token"].encode()).hexdigest(),
    }
$$;

-- Redeems the grant and runs its statement, both or neither. The caller needs USAGE on it and no right on the table.
CREATE OR REPLACE PROCEDURE CLYRA.GUARD.REDEEM_AND_RUN(SOURCE_ID VARCHAR, GRANT_TEXT VARCHAR, STATEMENT VARCHAR)
RETURNS VARIANT
LANGUAGE SQL
EXECUTE AS OWNER
AS
$$
DECLARE
  key_hex VARCHAR;
  found VARIANT;
  used NUMBER;
  changed NUMBER;
  statement_id VARCHAR;
  refused EXCEPTION (-20001, 'CLY_GRANT_REFUSED');
  reused EXCEPTION (-20002, 'CLY_GRANT_USED');
  exceeded EXCEPTION (-20003, 'CLY_GRANT_ROWS');
BEGIN
  BEGIN TRANSACTION;
  UPDATE CLYRA.GUARD.REDEEM_LOCK SET TURNS = TURNS + 1 WHERE ID = 1;
  SELECT MAX(KEY_HEX) INTO :key_hex FROM CLYRA.GUARD.GRANT_KEYS WHERE SOURCE_ID = :SOURCE_ID;
  SELECT CLYRA.GUARD.READ_GRANT(:GRANT_TEXT, :key_hex, :STATEMENT, DATE_PART(EPOCH_MILLISECOND, SYSDATE())) INTO :found;
  IF (found:refused IS NOT NULL OR found:source_id::VARCHAR <> SOURCE_ID) THEN
    RAISE refused;
  END IF;
  SELECT COUNT(*) INTO :used FROM CLYRA.GUARD.REDEMPTIONS WHERE TOKEN_HASH = :found:token_hash::VARCHAR;
  IF (used > 0) THEN
    RAISE reused;
  END IF;
  EXECUTE IMMEDIATE :STATEMENT;
  statement_id := SQLID;
  changed := SQLROWCOUNT;
  IF (changed > found:rows_max::NUMBER) THEN
    RAISE exceeded;
  END IF;
  INSERT INTO CLYRA.GUARD.REDEMPTIONS (REDEMPTION_ID, TOKEN_HASH, QUERY_ID, REDEEMED_AT)
    SELECT UUID_STRING(), :found:token_hash::VARCHAR, :statement_id, CURRENT_TIMESTAMP();
  COMMIT;
  RETURN OBJECT_CONSTRUCT('query_id', statement_id, 'rows', changed);
EXCEPTION
  WHEN OTHER THEN
    ROLLBACK;
    RAISE;
END;
$$;

GRANT OWNERSHIP ON PROCEDURE CLYRA.GUARD.REDEEM_AND_RUN(VARCHAR, VARCHAR, VARCHAR) TO ROLE CLYRA_GUARD_OWNER COPY CURRENT GRANTS;
GRANT USAGE ON DATABASE CLYRA TO ROLE CLYRA_GUARD_OWNER;
GRANT USAGE ON SCHEMA CLYRA.GUARD TO ROLE CLYRA_GUARD_OWNER;
GRANT USAGE ON FUNCTION CLYRA.GUARD.READ_GRANT(VARCHAR, VARCHAR, VARCHAR, NUMBER) TO ROLE CLYRA_GUARD_OWNER;
GRANT SELECT ON TABLE CLYRA.GUARD.GRANT_KEYS TO ROLE CLYRA_GUARD_OWNER;
GRANT SELECT, UPDATE ON TABLE CLYRA.GUARD.REDEEM_LOCK TO ROLE CLYRA_GUARD_OWNER;
GRANT SELECT, INSERT ON TABLE CLYRA.GUARD.REDEMPTIONS TO ROLE CLYRA_GUARD_OWNER;
