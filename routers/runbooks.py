"""Runbooks, as the rules files name them: `features.NAME.runbook` and `teams.SLUG.runbook`."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from matchers.sources.bundle import Part
from matchers.sources.schema import Strict
from routers.urls import Url

_URL: TypeAdapter[Any] = TypeAdapter(Url)


class FeatureEntry(Strict):
    runbook: Url | None = None


def runbooks_of_features(parts: Iterable[Part]) -> Mapping[str, str]:
    """By feature. One that two files bring is a problem of the second."""
    runbooks: dict[str, str] = {}
    homes: dict[str, str] = {}
    for part in parts:
        for feature, value in part.checker.mapping(part.entry.features, ("features",)).items():
            path = ("features", feature)
            if feature in homes:
                said = f'the feature "{feature}" stands in {homes[feature]} already'
                part.checker.problem(path, said, key=True)
                continue
            homes[feature] = part.checker.document.file
            entry = part.checker.model(FeatureEntry, value or {}, path)
            if entry is not None and entry.runbook:
                runbooks[feature] = entry.runbook
    return runbooks


def runbook_of_team(part: Part, slug: str) -> str:
    """ "" where it names none."""
    written = part.teams[slug].runbook
    path = ("teams", slug, "runbook")
    return "" if written is None else part.checker.value(_URL, written, path) or ""
