"""`pointsman migrate`: the database's schema, brought up to date."""

from importlib import import_module

from service.cli.base import AsJson, answer_json, database_url, misuse, talk


def migrate(as_json: AsJson = False) -> None:
    """Bring the schema of POINTSMAN_DATABASE_URL up to date. `serve` does so too, at its start."""
    # only here: a database would double what every other word costs to start
    database = import_module("service.store.database")
    try:
        done = database.migrate(database.open_database(database_url()))
    except database.NOT_MIGRATED as error:
        misuse(f"the schema is as it was: {database.reason(error)}")
    if as_json:
        backup = done.backup and str(done.backup)
        answer_json({"before": done.before, "after": done.after, "backup": backup})
        return
    moved = f"{done.before or 'nothing'} -> {done.after}"
    print(done.after if done.before == done.after else moved)
    if done.backup:
        talk.print(f"as it was before: {done.backup}", markup=False)
