-- SPDX-License-Identifier: Apache-2.0
-- Convenient ways in to guarded tables: each builds one statement from its arguments, and has REDEEM_AND_RUN run it under a
-- grant. Run after guard.sql. `…_STATEMENT` gives the very text, whose SHA-256 a change set names. Never executed on an account.

CREATE OR REPLACE FUNCTION CLYRA.GUARD.MERGE_STATEMENT(TARGET VARCHAR, SOURCE VARCHAR, KEYS ARRAY, COLUMNS ARRAY)
RETURNS VARCHAR
LANGUAGE PYTHON
RUNTIME_VERSION = '3.11'
HANDLER = 'merge_statement'
AS
$$
import re

PART = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")


def name(text, parts):
    pieces = text.split(".") if isinstance(text, str) else []
    if len(pieces) != parts or not all(PART.fullmatch(piece) for piece in pieces):
        raise ValueError("CLY_GUARD_COLUMNS: write names in letters, digits, _ and $, tables as DATABASE.SCHEMA.TABLE")
    return ".".join(pieces)


def merge_statement(target, source, keys, columns):
    keys = [name(key, 1) for key in keys]
    changed = [name(column, 1) for column in columns if column not in keys]
    written = keys + changed
    if not keys or len({column.upper() for column in written}) != len(written):
        raise ValueError("CLY_GUARD_COLUMNS: name at least one key, and each column once")
    matched = " WHEN MATCHED THEN UPDATE SET " + ", ".join(f"t.{c} = s.{c}" for c in changed) if changed else ""
    return (
        f"MERGE INTO {name(target, 3)} AS t USING {name(source, 3)} AS s ON "
        + " AND ".join(f"t.{key} = s.{key}" for key in keys)
        + matched
        + f" WHEN NOT MATCHED THEN INSERT ({', '.join(written)}) VALUES ({', '.join(f's.{c}' for c in written)})"
    )
$$;

CREATE OR REPLACE FUNCTION CLYRA.GUARD.UPDATE_STATEMENT(TARGET VARCHAR, ASSIGNMENTS OBJECT, KEYS OBJECT)
RETURNS VARCHAR
LANGUAGE PYTHON
RUNTIME_VERSION = '3.11'
HANDLER = 'update_statement'
AS
$$
import re

PART = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,254}")


def name(text, parts):
    pieces = text.split(".")
    if len(pieces) != parts or not all(PART.fullmatch(piece) for piece in pieces):
        raise ValueError("CLY_GUARD_COLUMNS: write names in letters, digits, _ and $, tables as DATABASE.SCHEMA.TABLE")
    return ".".join(pieces)


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("CLY_GUARD_COLUMNS: values are texts, integers, true, false or null; write decimals as texts")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def update_statement(target, assignments, keys):
    if not assignments or not keys:
        raise ValueError("CLY_GUARD_COLUMNS: name at least one assignment and one key")
    if any(value is None for value in keys.values()):
        raise ValueError("CLY_GUARD_KEYS: a key is null: no row would have it")
    sets = ", ".join(f"{name(column, 1)} = {literal(assignments[column])}" for column in sorted(assignments))
    rows = " AND ".join(f"{name(column, 1)} = {literal(keys[column])}" for column in sorted(keys))
    return f"UPDATE {name(target, 3)} SET {sets} WHERE {rows}"
$$;

-- A MERGE in which two rows of the source hit one of the target is an error of Snowflake's own (ERROR_ON_NONDETERMINISTIC_MERGE,
-- on by default); a null key is inserted at each repetition, so keep it out of the source.
CREATE OR REPLACE PROCEDURE CLYRA.GUARD.MERGE_WITH_CERT(SOURCE_ID VARCHAR, GRANT_TEXT VARCHAR, TARGET VARCHAR, SOURCE VARCHAR, KEYS ARRAY, COLUMNS ARRAY)
RETURNS VARIANT
LANGUAGE SQL
EXECUTE AS CALLER
AS
$$
DECLARE
  statement VARCHAR;
  done VARIANT;
BEGIN
  SELECT CLYRA.GUARD.MERGE_STATEMENT(:TARGET, :SOURCE, :KEYS, :COLUMNS) INTO :statement;
  CALL CLYRA.GUARD.REDEEM_AND_RUN(:SOURCE_ID, :GRANT_TEXT, :statement) INTO :done;
  RETURN done;
END;
$$;

-- The grant's own ceiling (`rows_max`) says how many rows it may be; a statement that changes more is rolled back.
CREATE OR REPLACE PROCEDURE CLYRA.GUARD.SAFE_UPDATE(SOURCE_ID VARCHAR, GRANT_TEXT VARCHAR, TARGET VARCHAR, ASSIGNMENTS OBJECT, KEYS OBJECT)
RETURNS VARIANT
LANGUAGE SQL
EXECUTE AS CALLER
AS
$$
DECLARE
  statement VARCHAR;
  done VARIANT;
BEGIN
  SELECT CLYRA.GUARD.UPDATE_STATEMENT(:TARGET, :ASSIGNMENTS, :KEYS) INTO :statement;
  CALL CLYRA.GUARD.REDEEM_AND_RUN(:SOURCE_ID, :GRANT_TEXT, :statement) INTO :done;
  RETURN done;
END;
$$;
