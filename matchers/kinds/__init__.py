"""Everything a rule can look at. A new kind is one file and one line here."""

from matchers.kinds import (
    environment,
    exception,
    function,
    level,
    logger,
    message,
    module,
    path,
    platform,
    project,
    release,
    tags,
    transaction,
    url,
)
from matchers.kinds.base import Kind

KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        path.KIND,
        module.KIND,
        function.KIND,
        exception.KIND,
        message.KIND,
        logger.KIND,
        transaction.KIND,
        url.KIND,
        tags.KIND,
        environment.KIND,
        release.KIND,
        level.KIND,
        platform.KIND,
        project.KIND,
    )
}
