"""A plain table is read by groups of pages: the same rows as row by row, in the same order, in any case."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from mlstack.data.cells import cell
from mlstack.data.database import connected
from mlstack.data.page_groups import groups_query, has_pages
from mlstack.data.reading import read_blocks, read_table
from mlstack.runtime.arrays import FloatArray

_ROWS = 60_000  # 440 pages and more
_TABLE = "CREATE TABLE t AS SELECT i::float8 AS x, i / 3 AS y FROM generate_series(1, 60000) AS i"
_VIEW = "CREATE VIEW v AS SELECT * FROM t"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connected(database_url) as opened:
        yield opened
        opened.rollback()


def _execute(connection: Connection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _blocks(connection: Connection, name: str) -> list[FloatArray]:
    blocks: list[FloatArray] = []
    read_blocks(connection, name, ("x", "y"), lambda block: blocks.append(block.astype(np.float64)))
    return blocks


def test_the_rows_are_those_of_a_view_of_the_table(connection: Connection) -> None:
    _execute(
        connection,
        _TABLE,
        "DELETE FROM t WHERE x BETWEEN 9000 AND 45000",  # groups without a row
        "UPDATE t SET y = NULL WHERE x < 100",  # moves them to the end
        _VIEW,
    )

    by_group, by_row = read_table(connection, "t", ("x", "y")), read_table(connection, "v", ("x", "y"))

    assert (has_pages(connection, "t"), has_pages(connection, "v")) == (True, False)
    assert len(by_group) == _ROWS - 36_001
    assert by_group.tobytes() == by_row.tobytes()


@pytest.mark.parametrize("name", ["t", "v"])
def test_an_unchanged_table_gives_the_same_blocks(connection: Connection, name: str) -> None:
    _execute(connection, _TABLE, _VIEW)

    first, second = _blocks(connection, name), _blocks(connection, name)

    assert len(first) > 1
    assert [block.tobytes() for block in first] == [block.tobytes() for block in second]


def test_each_group_is_a_scan_of_its_own_pages_only(connection: Connection) -> None:
    _execute(connection, _TABLE, "ANALYZE t", "SET LOCAL enable_tidscan = on")

    with connection.cursor() as cursor:
        query = groups_query(connection, "t", [cell("x")]).as_string(connection)
        cursor.execute("EXPLAIN " + query)
        plan = " ".join(line for (line,) in cursor.fetchall())

    assert "Tid Range Scan on t" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("name", ["groups", "source", "rows", "page"])
def test_names_of_a_users_table_are_not_mistaken_for_those_of_the_query(
    connection: Connection, name: str
) -> None:
    columns = ("page", "groups", "source", "rows")
    _execute(
        connection,
        "CREATE TABLE t (page float8, groups float8, source float8, rows float8)",
        "INSERT INTO t SELECT i, -1, i, 1e9 FROM generate_series(1, 3) AS i",
        f'ALTER TABLE t RENAME TO "{name}"',
    )

    table = read_table(connection, name, columns)

    assert table.tolist() == [[i, -1.0, i, 1e9] for i in (1.0, 2.0, 3.0)]


_WITHOUT_PAGES = {
    "partitions": (
        "CREATE TABLE p (x float8) PARTITION BY RANGE (x)",
        "CREATE TABLE low PARTITION OF p FOR VALUES FROM (0) TO (2)",
        "CREATE TABLE high PARTITION OF p DEFAULT",
        "INSERT INTO p VALUES (1), (2), (3)",
    ),
    "a child": (
        "CREATE TABLE p (x float8)",
        "CREATE TABLE child (z float8) INHERITS (p)",
        "INSERT INTO p VALUES (1)",
        "INSERT INTO child VALUES (2), (3)",
    ),
    "some columns granted": (
        "CREATE TABLE p (x float8, secret float8)",
        "INSERT INTO p VALUES (1), (2), (3)",
        "CREATE ROLE half_reader",
        "GRANT SELECT (x) ON p TO half_reader",
        "SET LOCAL ROLE half_reader",
    ),
    "a row policy": (
        "CREATE TABLE p (x float8)",
        "INSERT INTO p VALUES (1), (2), (3), (4)",
        "CREATE POLICY few ON p USING (x < 4)",
        "ALTER TABLE p ENABLE ROW LEVEL SECURITY",
        "CREATE ROLE policed",
        "GRANT SELECT ON p TO policed",
        "SET LOCAL ROLE policed",
    ),
}


@pytest.mark.parametrize("statements", _WITHOUT_PAGES.values(), ids=_WITHOUT_PAGES)
def test_where_a_page_number_says_too_little_rows_are_read_one_by_one(
    connection: Connection, statements: tuple[str, ...]
) -> None:
    _execute(connection, *statements)

    fits, table = has_pages(connection, "p"), read_table(connection, "p", ("x",))

    assert not fits
    assert table.tolist() == [[1.0], [2.0], [3.0]]


@pytest.mark.parametrize("name", ["t", "v"])
def test_after_a_refused_block_the_connection_is_of_use(connection: Connection, name: str) -> None:
    _execute(connection, _TABLE, _VIEW)
    seen: list[int] = []

    def refuse(block: FloatArray) -> None:
        seen.append(len(block))
        raise ValueError("no such row was expected")

    with pytest.raises(ValueError, match="no such row"):
        read_blocks(connection, name, ("x",), refuse)

    assert len(seen) == 1
    assert read_table(connection, name, ("x",)).shape == (_ROWS, 1)
