"""What each source has sent so far, by the counts of its groups: no event need be kept for it."""

from sqlalchemy import Engine, func, select

from routers.quiet import Activity
from service.store.tables import AUDIENCES, GROUPS, from_us


class ActivityStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, project: str, environment: str | None) -> Activity | None:
        """None: nothing yet. `last_at` is that of its groups, in whichever environment."""
        query = (
            select(func.sum(AUDIENCES.c.times_seen), func.max(GROUPS.c.last_seen))
            .join_from(AUDIENCES, GROUPS, AUDIENCES.c.group_id == GROUPS.c.id)
            .where(GROUPS.c.project == project)
        )
        if environment is not None:
            query = query.where(AUDIENCES.c.environment == environment)
        with self._engine.begin() as connection:
            events, last_at = connection.execute(query).one()
        return Activity(int(events), from_us(last_at)) if events else None
