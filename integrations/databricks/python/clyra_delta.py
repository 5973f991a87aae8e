# SPDX-License-Identifier: Apache-2.0
"""For notebooks and jobs: the versions that a block commits say which approval they were made under.

    with committed_under(spark, token, run_id="run-7", actor_id="sync-bot"):
        frame.write.format("delta").mode("append").saveAsTable("main.crm.contacts")

It is a claim of the writer, which the recorder holds against the grants. A token is good for one version.
"""

import json
import re
from contextlib import contextmanager

OPTION = "spark.databricks.delta.commitInfo.userMetadata"
TOKEN = re.compile(r"[0-9a-f]{32}")


def user_metadata(token, run_id=None, actor_id=None):
    if not TOKEN.fullmatch(token):
        raise ValueError("the execution token has 32 hexadecimal digits")
    members = {"ClyraApprovalToken": token, "RunId": run_id, "ActorId": actor_id}
    return json.dumps({name: value for name, value in members.items() if value is not None})


@contextmanager
def committed_under(spark, token, run_id=None, actor_id=None):
    before = spark.conf.get(OPTION, None)
    spark.conf.set(OPTION, user_metadata(token, run_id, actor_id))
    try:
        yield
    finally:
        if before is None:
            spark.conf.unset(OPTION)
        else:
            spark.conf.set(OPTION, before)


PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


def _name(text, parts):
    pieces = text.split(".") if isinstance(text, str) else []
    if len(pieces) != parts or not all(PART.fullmatch(piece) for piece in pieces):
        raise ValueError("CLY_GUARD_COLUMNS: write names in letters, digits and _, tables as catalog.schema.table")
    return ".".join(f"`{piece}`" for piece in pieces)


def merge_statement(target, source, keys, columns):
    """The text that merge_with_cert runs; its SHA-256 is what a change set names."""
    changed = [column for column in columns if column not in keys]
    written = [_name(column, 1) for column in [*keys, *changed]]
    if not keys or len({column.lower() for column in written}) != len(written):
        raise ValueError("CLY_GUARD_COLUMNS: name at least one key, and each column once")
    ties = " AND ".join(f"t.{key} = s.{key}" for key in written[: len(keys)])
    sets = ", ".join(f"t.{column} = s.{column}" for column in written[len(keys) :])
    matched = f" WHEN MATCHED THEN UPDATE SET {sets}" if sets else ""
    values = ", ".join(f"s.{column}" for column in written)
    return (
        f"MERGE INTO {_name(target, 3)} AS t USING {_name(source, 3)} AS s ON {ties}{matched}"
        f" WHEN NOT MATCHED THEN INSERT ({', '.join(written)}) VALUES ({values})"
    )


def merge_with_cert(spark, token, target, source, keys, columns, run_id=None, actor_id=None):
    """Merges by key, as one version that names its approval. Databricks enforces none of it: see the README."""
    statement = merge_statement(target, source, keys, columns)
    list_of_keys = ", ".join(_name(key, 1) for key in keys)
    nulls = " OR ".join(f"{_name(key, 1)} IS NULL" for key in keys)
    wrong = spark.sql(
        f"SELECT {list_of_keys} FROM {_name(source, 3)} GROUP BY {list_of_keys} HAVING COUNT(*) > 1 OR {nulls} LIMIT 1"
    )
    if wrong.count() > 0:
        raise ValueError(f"CLY_GUARD_KEYS: a key of {source} is null or stands twice; correct the source first")
    with committed_under(spark, token, run_id, actor_id):
        return spark.sql(statement)
