"""Everything a rule can look at. A new kind is one file and one line here."""

from matchers.kinds import environment, exception, logger, path, tags, transaction
from matchers.kinds.base import Kind

KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        path.KIND,
        exception.KIND,
        logger.KIND,
        transaction.KIND,
        tags.KIND,
        environment.KIND,
    )
}
