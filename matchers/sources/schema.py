"""What may be written in a rules file, as strict models. The keys are a contract (docs/rules.md).

Channels, receivers and the policy are the routers' business: here they are only mappings.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from matchers.kinds import KINDS
from matchers.kinds.base import Text, Texts

SLUG = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _no_truth(value: object) -> object:
    """`true` is 1 to Python."""
    return None if isinstance(value, bool) else value


class FileEntry(Strict):
    """The whole file. Sections are checked member by member, so that one mistake is one problem."""

    version: Annotated[Literal[1], BeforeValidator(_no_truth)]
    team: Text | None = None  # of a team file: the owner where a rule names none
    source_roots: Any = None
    teams: Any = None
    channels: Any = None
    projects: Any = None
    features: Any = None
    explicit_owner_tags: Any = None
    overrides: Any = None
    rules: Any = None
    fallbacks: Any = None
    grouping: Any = None
    default: Any = None
    unowned: Any = None
    policy: Any = None
    visible: Any = None
    tests: Any = None
    strategy: Literal["nearest", "sentry"] = "nearest"
    exceptions: Literal["root_cause_first", "thrown_first"] = "root_cause_first"


class TeamEntry(Strict):
    name: Text | None = None
    aliases: list[Text] = []
    receivers: Any = None
    mode: Literal["notify", "observe"] | None = None  # None: the policy's
    runbook: Any = None


def _spread(value: object) -> object:
    return {"prefix": value} if isinstance(value, str) else value


class RootEntry(Strict):
    prefix: Text
    repository: str = ""


Root = Annotated[RootEntry, BeforeValidator(_spread)]


class ProjectEntry(Strict):
    slug: Annotated[str, Field(pattern=SLUG)]
    default_environment: Text = "production"
    source_roots: list[Root] = []


# Every kind's key, each with the type of its value: the rules file learns new kinds from the table.
_FIELDS: dict[str, Any] = {key: (kind.value | None, None) for key, kind in KINDS.items()}
Conditions = create_model("Conditions", __base__=Strict, **_FIELDS)


class _Assignment(Strict):
    owner: Text | None = None
    owners: Texts | None = None
    unowned: bool = False
    transparent: bool = False
    notify: Literal["primary", "all"] = "primary"
    feature: Text | None = None
    criticality: Text | None = None
    review: bool = True
    not_: Annotated[Conditions | None, Field(alias="not")] = None  # type: ignore[valid-type]


RuleEntry = create_model("RuleEntry", __base__=_Assignment, **_FIELDS)


class _Grouping(Strict):
    fingerprint: Texts | None = None
    title: Text | None = None
    not_: Annotated[Conditions | None, Field(alias="not")] = None  # type: ignore[valid-type]


GroupingRule = create_model("GroupingRule", __base__=_Grouping, **_FIELDS)


class IncludeEntry(Strict):
    """An entry of `rules:` that brings the rules of other files; exactly one of the first six."""

    include: Text | None = None
    codeowners: Text | None = None
    owners_yaml: Text | None = None
    module_files: Text | None = None
    annotations: Text | None = None
    codeowner_files: Text | None = None
    dialect: Literal["github", "gitlab", "bitbucket"] = "github"  # of `codeowners`
