# SPDX-License-Identifier: Apache-2.0
"""A second judgement of labelled SQL, written on sqlglot and on nothing of ours.

It answers `unsafe` or `safe` where the tree and sqlglot's own simplifier show it, else None: an oracle that guesses is
no oracle.
"""
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

UNSAFE_KINDS = (
    exp.TruncateTable, exp.Drop, exp.Alter, exp.Create, exp.Grant, exp.Revoke,
)
UNKNOWN_KINDS = (exp.Command, exp.Set, exp.Use, exp.Declare, exp.Alias, exp.Column)


def judge(sql, dialect):
    if dialect == "mysql" and "/*!" in sql:
        return None  # MySQL runs such comments; sqlglot leaves them out.
    try:
        statements = [s for s in sqlglot.parse(sql, dialect=dialect) if s is not None]
    except (sqlglot.errors.ParseError, sqlglot.errors.TokenError):
        return None
    verdicts = [judge_statement(statement) for statement in statements]
    if "unsafe" in verdicts:
        return "unsafe"
    if len(statements) != 1 or None in verdicts:
        return None
    return "safe"


def judge_statement(statement):
    if isinstance(statement, exp.Alter) and str(statement.args.get("kind")).upper() == "SESSION":
        return None
    if isinstance(statement, UNSAFE_KINDS):
        return "unsafe"
    if isinstance(statement, UNKNOWN_KINDS):
        return None
    found = [judge_write(w) for w in statement.find_all(exp.Delete, exp.Update)]
    found += [judge_merge(m) for m in statement.find_all(exp.Merge)]
    found += ["unsafe" for s in statement.find_all(exp.Into)]
    found += [judge_insert(i) for i in statement.find_all(exp.Insert)]
    if "unsafe" in found:
        return "unsafe"
    known = isinstance(statement, (exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Transaction, exp.Commit))
    return "safe" if known and None not in found else None


def judge_insert(insert):
    if not insert.args.get("overwrite"):
        return "safe"
    partition = insert.find(exp.Partition)
    return "safe" if partition is not None and partition.find(exp.EQ) else "unsafe"


def judge_write(write):
    if not isinstance(write.this, exp.Table):
        return None
    conditions = [c for c in [where_of(write), *join_conditions(write, outer=False)] if c is not None]
    if not conditions:
        return "unsafe"
    condition = exp.and_(*[c.copy() for c in conditions])
    if is_self_link(condition, write):
        return "unsafe"
    verdict = judge_condition(condition, write)
    if any(join.args.get("using") for source in sources_of(write) for join in source.args.get("joins") or []):
        return None if verdict != "unsafe" else verdict
    names = relations_of(write)
    linking = exp.and_(condition.copy(), *[c.copy() for c in join_conditions(write)])
    if verdict == "unsafe" or len(names) < 2 or is_keyed(linking, names):
        return verdict
    return "unsafe" if all(c.table for c in linking.find_all(exp.Column)) else None


def where_of(write):
    where = write.args.get("where")
    return where.this if where is not None else None


def sources_of(write):
    """Everything that rows come from, the target's own entry first."""
    found = [write.this]
    if write.args.get("from_") is not None:
        found.append(write.args["from_"].this)
    found.extend(item for item in write.args.get("using") or [] if isinstance(item, exp.Expression))
    for source in list(found):
        found.extend(join.this for join in source.args.get("joins") or [])
    return found


def relations_of(write):
    """Names that must hang together; a target that FROM names again is that entry."""
    sources = sources_of(write)
    names = [source.alias_or_name for source in sources]
    target = write.this
    again = [s for s in sources[1:] if isinstance(s, exp.Table) and target.name in (s.name, s.alias)]
    # Only T-SQL's `UPDATE alias … FROM table AS alias` and its like; a second reading has another alias beside the name.
    if len(again) == 1 and again[0].alias_or_name == target.alias_or_name:
        names = names[1:]
    return set(names)


def join_conditions(write, outer=True):
    for source in sources_of(write):
        for join in source.args.get("joins") or []:
            if (outer or join.side not in ("LEFT", "RIGHT", "FULL")) and join.args.get("on") is not None:
                yield join.args["on"]


def is_keyed(condition, names):
    groups = {name: name for name in names}

    def root(name):
        while groups.get(name, name) != name:
            name = groups[name]
        return name

    for equal in condition.find_all(exp.EQ):
        sides = [{c.table for c in side.find_all(exp.Column)} for side in (equal.left, equal.right)]
        if all(len(side) == 1 and "" not in side for side in sides):
            groups[root(*sides[0])] = root(*sides[1])
    return len({root(name) for name in names}) <= 1


def is_self_link(condition, write):
    """Every part compares one column of two readings of the target."""
    own = {s.alias_or_name for s in sources_of(write) if isinstance(s, exp.Table) and s.name == write.this.name}
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    return len(own) > 1 and all(
        isinstance(p, exp.EQ)
        and isinstance(p.left, exp.Column)
        and isinstance(p.right, exp.Column)
        and p.left.name == p.right.name
        and {p.left.table, p.right.table} <= own
        for p in parts
    )


def judge_condition(condition, write=None):
    """`unsafe` if sqlglot simplifies it to TRUE, `safe` if what is left compares a column with something else."""
    try:
        simple = simplify(rewritten(condition, write))
    except Exception:  # sqlglot's simplifier refuses some trees; then it has no opinion.
        return None
    if is_always(simple):
        return "unsafe"
    if isinstance(simple, exp.Boolean) or isinstance(simple, exp.Null):
        return "safe"
    return "safe" if narrows(simple, write) else None


def rewritten(condition, write):
    """Comparisons of something with itself become TRUE or FALSE, which simplify leaves alone for the sake of NULL."""
    def step(node):
        if isinstance(node, (exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ)) and same(node.left, node.right):
            return exp.true()
        if isinstance(node, (exp.NEQ, exp.GT, exp.LT)) and same(node.left, node.right):
            return exp.false()
        if isinstance(node, exp.Between) and same(node.this, node.args["low"]) and same(node.this, node.args["high"]):
            return exp.true()
        if isinstance(node, exp.In) and any(same(node.this, item) for item in node.expressions):
            return exp.true()
        if isinstance(node, exp.In) and isinstance(node.this, exp.Literal) and node.expressions:
            return exp.true() if node.this in node.expressions else exp.false()
        if isinstance(node, exp.Exists) and node.this.args.get("from_") is None and node.this.args.get("from") is None:
            return exp.true()
        if isinstance(node, (exp.Like, exp.ILike)) and isinstance(node.expression, exp.Literal) and set(node.expression.name) == {"%"}:
            return exp.true()
        if isinstance(node, (exp.RegexpLike, exp.RegexpILike)) and isinstance(node.expression, exp.Literal) and node.expression.name == ".*":
            return exp.true()
        if isinstance(node, exp.In) and write is not None and reads_whole_target(node, write):
            return exp.true()
        return node

    return condition.copy().transform(step)


def same(left, right):
    return left == right and left.find(exp.Column) is not None or isinstance(left, exp.Literal) and left == right


def is_always(node):
    node = node.unnest() if isinstance(node, exp.Paren) else node
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    return isinstance(node, exp.Literal) and not node.is_string and node.name not in ("0", "0.0")


COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.Like, exp.ILike, exp.RegexpLike)


def narrows(node, write):
    node = node.unnest() if isinstance(node, exp.Paren) else node
    if isinstance(node, exp.And):
        return any(narrows(part, write) for part in node.flatten())
    if isinstance(node, exp.Or):
        parts = list(node.flatten())
        return all(narrows(part, write) for part in parts) and not covers(parts)
    if isinstance(node, exp.Not):
        inner = node.this.unnest()
        return not isinstance(inner, exp.Is) and (isinstance(inner, exp.Exists) or narrows(inner, write))
    if isinstance(node, exp.Exists):
        return False
    if isinstance(node, exp.In):
        query = node.args.get("query")
        return node.this.find(exp.Column) is not None and (query is None or not reads_target(write, query))
    if isinstance(node, exp.Between):
        return node.this.find(exp.Column) is not None
    if isinstance(node, exp.Is):
        return not node.args.get("negate") and isinstance(node.expression, (exp.Null, exp.Boolean)) and node.this.find(exp.Column) is not None
    if isinstance(node, COMPARISONS):
        if node.find(exp.Case, exp.Rand, exp.Subquery, exp.Length, exp.Abs):
            return False
        sides = [{c.sql() for c in side.find_all(exp.Column)} for side in (node.this, node.expression)]
        return any(sides) and not sides[0] & sides[1]
    return False


def covers(parts):
    subjects = {}
    for part in parts:
        part = part.unnest() if isinstance(part, exp.Paren) else part
        subjects.setdefault(part.this.sql() if part.this is not None else "", []).append(part)
    return any(len(group) > 1 and not all(isinstance(p, exp.EQ) for p in group) for group in subjects.values())


def reads_target(write, query):
    if write is None or not isinstance(write.this, exp.Table):
        return True
    ctes = {cte.alias for cte in write.find_all(exp.CTE)}
    return any(table.name == write.this.name or table.name in ctes for table in query.find_all(exp.Table))


def reads_whole_target(node, write):
    query = node.args.get("query")
    select = query.find(exp.Select) if query is not None else None
    if select is None or not isinstance(node.this, exp.Column) or len(select.selects) != 1:
        return False
    if select.args.get("group") or select.args.get("limit") or select.args.get("having"):
        return False
    where = select.args.get("where")
    source = select.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table) or source.this.name != write.this.name:
        return False
    plain = where is None or is_always(simplify(where.this.copy()))
    return plain and select.selects[0].name == node.this.name


def judge_merge(merge):
    on = merge.args["on"]
    condition = judge_condition(on)
    if condition == "unsafe":
        return "unsafe"
    clauses = list(merge.find_all(exp.When))
    if not any(isinstance(clause.args.get("then"), exp.Update) or str(clause.args.get("then")) == "DELETE" for clause in clauses):
        return "safe"
    never = isinstance(simplify(on.copy()), exp.Boolean)
    if any(clause.args.get("source") and clause.args.get("condition") is None for clause in clauses):
        return "unsafe" if never else None
    if isinstance(merge.args["using"], exp.Unnest):
        return None
    names = {merge.this.alias_or_name, merge.args["using"].alias_or_name}
    if never or is_keyed(on, names):
        return "safe" if never else condition
    return "unsafe" if all(c.table for c in on.find_all(exp.Column)) else None
