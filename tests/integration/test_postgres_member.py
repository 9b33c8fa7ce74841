"""The two servers of a prediction log with a standby: which one takes writes, and what is never lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.harness.processes.members import FIRST, REPLICATION_PASSWORD, SECOND, Member, pair_up, two_members
from tests.harness.processes.replication import cut_power
from tests.harness.processes.serving import eventually

Pair = tuple[Member, Member]
_ADD = "INSERT INTO rows SELECT coalesce(max(n), 0) + 1 FROM rows RETURNING n"


@pytest.fixture
def members() -> Iterator[Pair]:
    """Both, of this test only; neither runs."""
    with two_members() as both:
        yield both


@pytest.fixture
def pair(members: Pair) -> Pair:
    """Both, the second follows the first; a table with one row."""
    pair_up(*members)
    members[0].ask("CREATE TABLE rows (n integer)")
    members[0].ask(_ADD)
    return members


def test_the_standby_takes_over_and_the_earlier_primary_follows_it(pair: Pair) -> None:
    first, second = pair
    acknowledged = [first.ask(_ADD) for _ in range(50)]
    cut_power(first)

    second.deploy(SECOND)
    assert eventually(second.takes_writes, 20), second.log()
    assert second.ask("SELECT count(*) FROM rows") == str(1 + len(acknowledged))
    assert second.ask(_ADD) == "52"  # without a standby it waits for none

    first.deploy(SECOND)
    assert eventually(second.is_followed, 20), first.log() + second.log()
    assert not first.takes_writes()
    assert second.ask(_ADD) == "53"
    assert first.ask("SELECT max(n) FROM rows") == "53"


def test_the_two_change_places(pair: Pair) -> None:
    first, second = pair
    for primary, one, other in ((SECOND, second, first), (FIRST, first, second)):
        one.begin(primary)
        other.begin(primary)

        assert eventually(one.is_followed, 30), one.log() + other.log()
        assert not other.takes_writes()
        one.ask(_ADD)
    assert first.ask("SELECT max(n) FROM rows") == "3"


def test_a_primary_that_comes_back_alone_commits_nothing(pair: Pair) -> None:
    """So what the other one has acknowledged meanwhile is all there is."""
    first, second = pair
    cut_power(second)
    cut_power(first)
    first.deploy(FIRST)

    with pytest.raises(psycopg2.errors.QueryCanceled, match="statement timeout"):
        first.ask("INSERT INTO rows SELECT 99; SELECT pg_sleep(9)", 2)
    _waits_for_a_standby(first)


def test_a_primary_that_comes_back_after_a_promotion_does_not_start(pair: Pair) -> None:
    first, second = pair
    cut_power(first)
    second.ask("SELECT pg_promote()")  # by hand: POSTGRES_PRIMARY of the first is unchanged

    assert f"{SECOND} takes writes already: swarm-promote.sh STACK {SECOND}" in first.refusal(FIRST)


def test_a_standby_that_may_lack_rows_is_promoted_by_hand_only(members: Pair) -> None:
    first, second = members
    first.deploy(FIRST)
    assert eventually(lambda: first.ask("SELECT to_regclass('standby')") == "standby", 10), first.log()
    with closing(psycopg2.connect(first.url())) as connection:
        connection.cursor().execute(
            "LOCK TABLE standby IN EXCLUSIVE MODE"
        )  # it is not told that it has everything
        second.deploy(FIRST)
    cut_power(first)

    second.deploy(SECOND)
    assert eventually(lambda: "is not promoted: it may lack rows" in second.log(), 20), second.log()
    assert not second.takes_writes()

    second.ask("SELECT pg_promote()")
    assert eventually(lambda: "is not promoted" in second.log() and second.takes_writes(), 10)
    second.ask("CREATE TABLE rows (n integer)")


def test_data_from_before_the_other_took_over_are_not_used(pair: Pair) -> None:
    first, second = pair
    cut_power(first)
    second.deploy(SECOND)
    assert eventually(second.takes_writes, 20)
    unreadable = second.data / "unreadable"
    unreadable.write_text("")
    unreadable.chmod(0)  # so that it cannot be copied
    shutil.chown(unreadable, second.data.owner())
    first.refusal(SECOND)
    cut_power(second)

    assert "has data from before" in first.refusal(FIRST)


def test_what_took_writes_last_is_not_overwritten(pair: Pair) -> None:
    """The command is undone before the first has become the standby of the second."""
    first, second = pair
    cut_power(first)
    second.deploy(SECOND)
    assert eventually(second.takes_writes, 20)
    cut_power(second)
    first.deploy(FIRST)

    assert f"took writes after {FIRST} did" in second.refusal(FIRST)


def test_a_server_without_data_does_not_begin_a_second_log(pair: Pair) -> None:
    first, _ = pair
    first.stop()
    first.data.rename(first.directory / "lost")
    first.data.mkdir()

    assert f"has no data, but {SECOND} has" in first.refusal(FIRST)


def test_a_copy_that_was_interrupted_is_made_again(pair: Pair) -> None:
    first, second = pair
    second.kill()
    (second.data / "PG_VERSION").unlink()  # as while the earlier data are replaced
    half = second.data / "incoming"
    half.mkdir()
    (half / "base").write_text("")
    shutil.chown(half, second.data.owner())

    second.deploy(FIRST)
    assert eventually(lambda: second.ask("SELECT max(n) FROM rows") == "1", 20)
    assert not (second.data / "incoming").exists()
    assert eventually(first.is_followed, 20)


def test_a_primary_that_was_told_to_do_without_waits_for_its_standby_again(pair: Pair) -> None:
    first, second = pair
    cut_power(second)
    first.ask("ALTER SYSTEM RESET synchronous_standby_names")
    first.ask("SELECT pg_reload_conf()")
    assert eventually(lambda: first.ask("SHOW synchronous_standby_names") == "", 5)
    assert first.ask(_ADD) == "2"

    second.deploy(FIRST)
    told = f"commits wait for {SECOND} from now on"
    assert eventually(lambda: first.log().count(told) == 2, 20), first.log()
    assert first.is_followed()
    assert second.ask("SELECT max(n) FROM rows") == "2"


def test_the_standby_may_copy_and_nothing_else(pair: Pair) -> None:
    first, _ = pair

    with pytest.raises(psycopg2.OperationalError, match="rejects connection"):
        psycopg2.connect(first.url(user="replicator", password=REPLICATION_PASSWORD))
    assert first.ask(
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'replicator'"
    ) == ("False")
    for member in pair:
        assert REPLICATION_PASSWORD not in arguments(member)


@pytest.mark.parametrize("primary", ["", "redis"])
def test_another_name_is_refused(members: Pair, primary: str) -> None:
    assert f"POSTGRES_PRIMARY must be {FIRST} or {SECOND}, not {primary}" in members[0].refusal(primary)


def arguments(member: Member) -> str:
    """Return what every user of the machine sees of the server's processes."""
    assert member.process is not None
    parent = member.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    return "".join(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8") for pid in (parent, *children))


def _waits_for_a_standby(member: Member) -> None:
    waiting = "SELECT current_setting('synchronous_standby_names')"
    assert member.ask(waiting) == f'"{SECOND}"'
