# SPDX-License-Identifier: Apache-2.0
"""The account's history as tables of fakesnow's own database, so that the recorder's SQL runs over them for real.

A row is shown from its `visible_at` on, by the stand-in's clock: so latency, order and loss are whatever the test
delivers. What is true is known to the test alone.
"""

import datetime as dt
import json

import fakesnow.server as base

STATEMENTS = {
    "QUERY_ID": "varchar",
    "QUERY_TEXT": "varchar",
    "DATABASE_NAME": "varchar",
    "SCHEMA_NAME": "varchar",
    "QUERY_TYPE": "varchar",
    "SESSION_ID": "number",
    "USER_NAME": "varchar",
    "ROLE_NAME": "varchar",
    "WAREHOUSE_NAME": "varchar",
    "QUERY_TAG": "varchar",
    "EXECUTION_STATUS": "varchar",
    "ERROR_CODE": "varchar",
    "START_TIME": "timestamp_tz",
    "END_TIME": "timestamp_tz",
    "TRANSACTION_ID": "number",
    "ROWS_INSERTED": "number",
    "ROWS_UPDATED": "number",
    "ROWS_DELETED": "number",
    "ROWS_PRODUCED": "number",
}
ACCESSES = {
    "QUERY_ID": "varchar",
    "QUERY_START_TIME": "timestamp_tz",
    "USER_NAME": "varchar",
    "DIRECT_OBJECTS_ACCESSED": "variant",
    "BASE_OBJECTS_ACCESSED": "variant",
    "OBJECTS_MODIFIED": "variant",
    "OBJECT_MODIFIED_BY_DDL": "variant",
    "PARENT_QUERY_ID": "varchar",
    "ROOT_QUERY_ID": "varchar",
}
REDEMPTIONS = {
    "REDEMPTION_ID": "varchar",
    "TOKEN_HASH": "varchar",
    "QUERY_ID": "varchar",
    "REDEEMED_AT": "timestamp_tz",
}
TABLES = {
    "statements": ("SNOWFLAKE", "ACCOUNT_USAGE", "QUERY_HISTORY", STATEMENTS),
    "accesses": ("SNOWFLAKE", "ACCOUNT_USAGE", "ACCESS_HISTORY", ACCESSES),
    "redemptions": ("CLYRA", "GUARD", "REDEMPTIONS", REDEMPTIONS),
}


class AccountHistory:
    def __init__(self):
        self.cursor = base.shared_fs.connect("SNOWFLAKE", "ACCOUNT_USAGE").cursor()
        base.shared_fs.connect("CLYRA", "GUARD")
        self.cursor.execute("create table SNOWFLAKE.ACCOUNT_USAGE.NOW(AT_MS number)")
        self.cursor.execute("insert into SNOWFLAKE.ACCOUNT_USAGE.NOW values (0)")
        for database, schema, name, columns in TABLES.values():
            stored = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            shown = ", ".join(columns)
            place = f"{database}.{schema}.{name}"
            self.cursor.execute(f"create table {place}_ROWS({stored}, VISIBLE_AT number)")
            self.cursor.execute(
                f"create view {place} as select {shown} from {place}_ROWS"
                " where VISIBLE_AT <= (select AT_MS from SNOWFLAKE.ACCOUNT_USAGE.NOW)"
            )
        self.now_ms = 0

    def set_clock(self, now_ms):
        self.now_ms = int(now_ms)
        self.cursor.execute(f"update SNOWFLAKE.ACCOUNT_USAGE.NOW set AT_MS = {self.now_ms}")

    def deliver(self, deliveries):
        """Rows by table; members as the columns are called, times in milliseconds, and `visible_at`.

        Straight into DuckDB: a translation of each row's SQL would take longer than the tests.
        """
        for kind, rows in deliveries.items():
            database, schema, name, columns = TABLES[kind]
            places = ", ".join([*("?" for _ in columns), "?"])
            names = ", ".join(f'"{column}"' for column in [*columns, "VISIBLE_AT"])
            values = [
                [*(cell(row.get(column.lower()), columns[column]) for column in columns), int(row["visible_at"])]
                for row in rows
            ]
            if values:
                insert = f'insert into "{database}"."{schema}"."{name}_ROWS"({names}) values ({places})'
                self.cursor._duck_conn.executemany(insert, values)

    def forget(self, before_ms):
        """What the account no longer keeps."""
        self.cursor.execute(
            "delete from SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY_ROWS"
            f" where date_part(epoch_millisecond, END_TIME) < {int(before_ms)}"
        )

    def clear(self):
        for database, schema, name, _ in TABLES.values():
            self.cursor.execute(f"delete from {database}.{schema}.{name}_ROWS")


def cell(value, kind):
    if value is None:
        return None
    if kind == "number":
        return int(value)
    if kind == "timestamp_tz":
        return dt.datetime.fromtimestamp(int(value) / 1000, dt.timezone.utc)
    return json.dumps(value) if kind == "variant" else str(value)
