"""A silence as it is posted, in Alertmanager's form.

    SilenceError    it is none; holds every problem with its JSON path

Spec: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (postableSilence)
Stricter than there: author and comment say something, it ends within a year, labels are known.
What `GET` adds to a silence is passed over, so that one can be read, changed and posted again.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from matchers.errors import did_you_mean
from matchers.text import UNPRINTABLE
from routers.regex import compile_regex
from routers.regex_syntax import RegexError
from routers.silences import LABELS, VALUE, Matcher, Silence

LONGEST = timedelta(days=366)  # a year, whatever year it is
MATCHERS = 20
AUTHOR, COMMENT = 200, 2000  # characters
Place = tuple[str | int, ...]


class SilenceError(Exception):
    """problems: where (`matchers.0.value`; "": the whole), and what is wrong there."""

    def __init__(self, problems: Iterable[tuple[Place, str]]) -> None:
        self.problems = tuple((".".join(map(str, place)), said) for place, said in problems)
        super().__init__("; ".join(f"{at}: {said}" if at else said for at, said in self.problems))


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _known(name: str) -> str:
    if name not in LABELS:
        raise ValueError(f'there is no label "{name[:100]}"{did_you_mean(name, LABELS)}')
    return name


_Said = StringConstraints(strip_whitespace=True, min_length=1)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PostableMatcher(_Strict):
    name: Annotated[str, AfterValidator(_known)]
    isRegex: bool = False  # noqa: N815 Alertmanager's own word, as those below
    isEqual: bool = True  # noqa: N815
    value: Annotated[str, Field(max_length=VALUE), AfterValidator(_printable)]

    @field_validator("value")
    @classmethod
    def compiles(cls, value: str, about: ValidationInfo) -> str:
        if about.data.get("isRegex"):
            try:
                compile_regex(value)
            except RegexError as error:
                raise ValueError(str(error)) from None
        return value

    def matcher(self) -> Matcher:
        return Matcher(self.name, self.value, self.isRegex, self.isEqual)


class PostableSilence(_Strict):
    id: Annotated[str, Field(max_length=100)] | None = None  # of the one that it is to replace
    matchers: Annotated[list[PostableMatcher], Field(min_length=1, max_length=MATCHERS)]
    startsAt: AwareDatetime | None = None  # noqa: N815 None, or past: now
    endsAt: AwareDatetime  # noqa: N815
    createdBy: Annotated[str, _Said, Field(max_length=AUTHOR), AfterValidator(_printable)]  # noqa: N815
    comment: Annotated[str, _Said, Field(max_length=COMMENT), AfterValidator(_printable)]
    # what GET adds
    status: Any = None
    updatedAt: Any = None  # noqa: N815
    hidden: Any = None
    hiddenAt: Any = None  # noqa: N815


def read_silence(body: bytes, *, id: str, now: datetime) -> tuple[Silence, str | None]:  # noqa: A002
    """The silence, which is to have this id, and the id of the one that it replaces.

    Raises SilenceError.
    """
    try:
        asked = PostableSilence.model_validate_json(body)
    except ValidationError as error:
        raise SilenceError((one["loc"], _said(one["msg"])) for one in error.errors()) from None
    starts_at = max(asked.startsAt or now, now)
    if problems := list(_mistakes(asked, starts_at, now)):
        raise SilenceError(problems)
    silence = Silence(
        id=id,
        matchers=tuple(one.matcher() for one in asked.matchers),
        starts_at=starts_at.astimezone(UTC),
        ends_at=asked.endsAt.astimezone(UTC),
        created_by=asked.createdBy,
        comment=asked.comment,
    )
    return silence, asked.id or None


def _mistakes(
    asked: PostableSilence, starts_at: datetime, now: datetime
) -> Iterable[tuple[Place, str]]:
    if starts_at - now > LONGEST:
        yield ("startsAt",), "it starts more than a year from now"
    if asked.endsAt <= now:
        yield ("endsAt",), "it is past"
    elif asked.endsAt <= starts_at:
        yield ("endsAt",), "it ends before it starts"
    elif asked.endsAt - starts_at > LONGEST:
        yield ("endsAt",), "it is longer than a year"
    if all(one.matcher().holds("") for one in asked.matchers):
        yield ("matchers",), "one of them must ask for something: all hold for an empty label"


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
