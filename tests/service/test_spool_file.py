"""The spool's file: in order, bounded, and emptied again on a disk that was full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.store.spool_file import Row, SpoolError, SpoolFile, Standing

ROOM = 2**30


def rows(*bodies: bytes) -> list[Row]:
    return [Row(1000 + number, 1, body) for number, body in enumerate(bodies)]


@pytest.fixture
def file(tmp_path: Path) -> SpoolFile:
    return SpoolFile(tmp_path / "new" / "spool.db")


def bodies(file: SpoolFile, after: int = 0) -> list[bytes]:
    return [row.body for _, row in file.oldest(after, ROOM)]


def test_what_was_appended_is_there_in_order_also_after_a_restart(file: SpoolFile) -> None:
    assert file.append(rows(b"one", b"two"), ROOM) == 2
    assert file.append(rows(b"three"), ROOM) == 1
    file.close()
    again = SpoolFile(file.path)
    assert bodies(again) == [b"one", b"two", b"three"]
    assert again.standing() == Standing(events=3, bytes=11, oldest=1000)


def test_what_is_dropped_comes_no_more_and_its_ids_neither(file: SpoolFile) -> None:
    file.append(rows(b"one", b"two"), ROOM)
    file.drop(file.oldest(0, 1000)[-1][0])
    file.append(rows(b"three"), ROOM)
    assert [row[0] for row in file.oldest(0, 1000)] == [3]
    assert file.standing() == Standing(events=1, bytes=5, oldest=1000)


def test_a_few_are_read_at_once_and_one_at_least(file: SpoolFile) -> None:
    file.append([Row(1, 3, b"a"), Row(2, 1, b"b"), Row(3, 9, b"c")], ROOM)
    assert [len(file.oldest(after, 4)) for after in (0, 1, 2, 3)] == [2, 1, 1, 0]


def test_beyond_the_room_nothing_is_taken(file: SpoolFile) -> None:
    assert file.append(rows(b"12345", b"12345", b"1"), 9) == 1
    assert file.append(rows(b"1234"), 9) == 1
    assert file.append(rows(b"1"), 9) == 0
    file.drop(1)
    assert file.append(rows(b"12345"), 9) == 1


def test_what_is_put_aside_waits_no_more_and_stays(file: SpoolFile) -> None:
    file.append(rows(b"good", b"bad"), ROOM)
    file.put_aside(2, "unreadable")
    assert bodies(file) == [b"good"]
    assert file.standing() == Standing(events=1, bytes=4, oldest=1000, aside=1)


def test_a_commit_is_on_the_disk_when_it_returns(file: SpoolFile) -> None:
    """As of the database: WAL with synchronous=FULL."""
    connection = file._connect()
    modes = [connection.execute(f"pragma {one}").fetchone()[0] for one in MODES]
    connection.close()
    assert modes == ["wal", 2]


MODES = ("journal_mode", "synchronous")


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SpoolError, match=r"exists|directory"):
        SpoolFile(tmp_path / "file" / "spool.db").append(rows(b"one"), ROOM)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """12 MiB, where this machine lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607


def test_a_full_disk_loses_nothing_and_can_be_emptied(small_disk: Path) -> None:
    file = SpoolFile(small_disk / "spool.db", reserve=4 * 2**20)
    taken = fill(file, b"x" * 6000)
    assert taken > 100
    assert len(bodies(file)) == taken
    file.drop(taken - 1)  # the disk is as full as it was
    assert bodies(file) == [b"x" * 6000]
    file.drop(taken)
    assert file.append(rows(b"y" * 6000), ROOM) == 1


def fill(file: SpoolFile, body: bytes) -> int:
    """How many it took."""
    taken = 0
    while True:
        try:
            taken += file.append(rows(*[body] * 10), ROOM)
        except SpoolError:
            return taken
