"""What the tables share. Moments are integer microseconds, UTC, in every database."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import MetaData

METADATA = MetaData()
HOUR = 3_600_000_000  # microseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_us(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)
