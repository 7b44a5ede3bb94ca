"""A storm, and destinations at fault, in small. At length: benchmarks/flood.py and faults.py."""

from pathlib import Path

from benchmarks import faults, flood


def test_a_storm_is_few_messages_and_holds_up_nobody_else(tmp_path: Path) -> None:
    small = flood.Flood(events=1_000, groups=120, singles=2, seconds=3.0)
    assert flood.claims(small, flood.run(small, tmp_path)) == []


def test_whatever_a_destination_does_every_group_is_told(tmp_path: Path) -> None:
    assert faults.claims(faults.run(tmp_path, 6.0)) == []
