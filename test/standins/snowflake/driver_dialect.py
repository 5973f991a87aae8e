# SPDX-License-Identifier: Apache-2.0
"""What Snowflake's Node driver expects of an answer, where fakesnow answers for the Python one.

The Node driver reads JSON rows only, wants `returned` in every answer (without it a callback never comes), output
formats for each type of column, and large results in chunks that are gzip and not called JSON.
"""

import datetime as dt
import decimal
import gzip
import json
import uuid

import fakesnow.server as base

INLINE_ROWS_MAX = 200
CHUNK_ROWS = 400
EPOCH = dt.datetime(1970, 1, 1)
EPOCH_DAY = dt.date(1970, 1, 1)

OUTPUT_FORMATS = [
    {"name": name, "value": value}
    for name, value in {
        "TIMEZONE": "Etc/UTC",
        "BINARY_OUTPUT_FORMAT": "HEX",
        "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
        "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
        "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
        "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
        "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
        "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    }.items()
]


def cell(value, kind):
    """One value as the text in which the protocol carries it."""
    if value is None:
        return None
    if kind == "boolean":
        return "1" if value else "0"
    if kind == "date":
        return str((value - EPOCH_DAY).days)
    if kind.startswith("timestamp"):
        plain = value.astimezone(dt.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        seconds, micros = divmod((plain - EPOCH) // dt.timedelta(microseconds=1), 1_000_000)
        text = f"{seconds}.{micros:06d}000"
        return f"{text} 1440" if kind == "timestamp_tz" else text
    if kind == "time":
        return f"{value.hour * 3600 + value.minute * 60 + value.second}.{value.microsecond:06d}000"
    if kind == "binary":
        return bytes(value).hex().upper()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    return str(value)


class Rows:
    """Stands where fakesnow passes an Arrow table on, and remembers the types of its columns."""

    def __init__(self, table, rowtype):
        self.table = table
        self.rowtype = rowtype

    def to_json(self):
        columns = [
            [cell(value, kind["type"]) for value in column.to_pylist()]
            for column, kind in zip(self.table.columns, self.rowtype)
        ]
        return json.dumps([list(row) for row in zip(*columns)]).encode()


base.to_sf = Rows
base.to_ipc = Rows.to_json


class Chunks:
    """Rows beyond the first ones, fetched by the driver from an address of their own."""

    def __init__(self):
        self.bodies = {}

    def cut(self, data, rows, origin):
        data["rowset"] = rows[:INLINE_ROWS_MAX]
        if len(rows) <= INLINE_ROWS_MAX:
            return
        data["chunks"], data["chunkHeaders"] = [], {}
        for start in range(INLINE_ROWS_MAX, len(rows), CHUNK_ROWS):
            part = rows[start : start + CHUNK_ROWS]
            # The outer brackets are the driver's own: it joins the chunks.
            text = json.dumps(part)[1:-1].encode()
            packed, name = gzip.compress(text, 1), uuid.uuid4().hex
            self.bodies[name] = packed
            data["chunks"].append(
                {
                    "url": f"{origin}/chunks/{name}",
                    "rowCount": len(part),
                    "uncompressedSize": len(text),
                    "compressedSize": len(packed),
                }
            )
