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
