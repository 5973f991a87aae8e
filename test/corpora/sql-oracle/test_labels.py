# SPDX-License-Identifier: Apache-2.0
"""The labels of test/corpora/sql, checked with sqlglot. Run by the gate in a virtual environment with requirements.txt."""
import collections
import json
import logging
import pathlib
import unittest

from judge import judge

LABELS = pathlib.Path(__file__).parent.parent / "sql"
# Where sqlglot has no opinion it is silent; below this share of opinions it would be no oracle.
OPINIONS_MIN = 0.85


def setUpModule():
    # sqlglot warns about each statement that it keeps as text.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def cases(dialect):
    text = (LABELS / f"{dialect}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


class Labels(unittest.TestCase):
    def check(self, dialect):
        answers = collections.Counter()
        for case in cases("spark" if dialect == "databricks" else dialect):
            answer = judge(case["sql"], dialect)
            if case["label"] == "held":
                # More is held than sqlglot can know of (settings, other servers), but nothing that it proves unsafe.
                self.assertNotEqual(answer, "unsafe", case)
                continue
            answers[answer is not None] += 1
            self.assertIn(answer, (None, case["label"]), case)
        share = answers[True] / sum(answers.values())
        print(f"\n{dialect}: sqlglot has an opinion on {answers[True]} of {sum(answers.values())}, all as labelled")
        self.assertGreaterEqual(share, OPINIONS_MIN)

    def test_postgres(self):
        self.check("postgres")

    def test_snowflake(self):
        self.check("snowflake")

    def test_spark(self):
        self.check("spark")

    def test_databricks(self):
        self.check("databricks")

    def test_bigquery(self):
        self.check("bigquery")

    def test_mysql(self):
        self.check("mysql")

    def test_tsql(self):
        self.check("tsql")


class TheOracleItself(unittest.TestCase):
    """A mutant of each kind: a label that is wrong must be noticed."""

    def test_wrong_labels_are_noticed(self):
        for sql, answer in [
            ("DELETE FROM t", "unsafe"),
            ("DELETE FROM t WHERE id = 7", "safe"),
            ("DELETE FROM t WHERE id = id OR id = 7", "unsafe"),
            ("UPDATE t SET a = 1 FROM s WHERE s.b = 2", "unsafe"),
            ("DELETE FROM t WHERE id IS NOT NULL", None),
        ]:
            self.assertEqual(judge(sql, "postgres"), answer, sql)


if __name__ == "__main__":
    unittest.main()
