"""Checks values of a Document against pydantic models, and puts every mistake in its place."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from matchers.errors import SUGGESTIONS, Problem, did_you_mean
from matchers.sources.document import Document, Path

Model = TypeVar("Model", bound=BaseModel)


class Checker:
    """Collects problems; what passes is returned, what does not is left out."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = list(document.problems)
        self._suggested = 0
        self._unreadable = {problem.origin for problem in document.problems}
        places = [*document.places, *document.keys] if document.problems else []
        self._spoiled = {
            path[:length]
            for path in places
            for length in range(len(path) + 1)
            if document.origin(path) in self._unreadable
            or document.origin(path, key=True) in self._unreadable
        }

    def problem(self, path: Path, message: str, *, key: bool = False) -> None:
        """Said of what could be read: a mistake in the YAML itself is not said twice."""
        origin = self.document.origin(path, key=key)
        if origin not in self._unreadable:
            self.problems.append(Problem(origin, message))

    def say(self, problem: Problem) -> None:
        """A problem of another file, found on the way."""
        self.problems.append(problem)

    def is_spoiled(self, path: Path) -> bool:
        """Whether a mistake in the YAML itself stands there or below."""
        return path in self._spoiled

    def model(
        self, model: type[Model], value: object, path: Path, *, unsaid: Collection[str] = ()
    ) -> Model | None:
        """None: it has problems, which are now listed, but for those of the keys in `unsaid`.

        While there are such keys, nothing is said of the whole either.
        """
        try:
            return model.model_validate(value)
        except ValidationError as error:
            known = [field.alias or name for name, field in model.model_fields.items()]
            for detail in error.errors(include_url=False):
                whole = not detail["loc"]
                if not unsaid if whole else detail["loc"][0] not in unsaid:
                    self._refused(detail, path, known)
            return None

    def value(self, adapter: TypeAdapter[Any], value: object, path: Path) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._refused(detail, path, ())
            return None

    def mapping(self, value: object, path: Path) -> Mapping[str, Any]:
        """An absent or empty section is an empty mapping."""
        if value is None or isinstance(value, dict):
            return value or {}
        self.problem(path, "expected `key: value` pairs")
        return {}

    def listing(self, value: object, path: Path) -> list[Any]:
        if value is None or isinstance(value, list):
            return value or []
        self.problem(path, "expected a list")
        return []

    def unknown(self, path: Path, name: str, noun: str, known: Iterable[str]) -> None:
        self._suggested += 1
        near = did_you_mean(name, known) if self._suggested <= SUGGESTIONS else ""
        self.problem(path, f'unknown {noun} "{name}"{near}')

    def _refused(self, detail: ErrorDetails, path: Path, known: Iterable[str]) -> None:
        inner = (*path, *detail["loc"])
        kind = detail["type"]
        if kind == "extra_forbidden":
            name = str(detail["loc"][-1])
            near = did_you_mean(name, known) if len(detail["loc"]) == 1 else ""
            self.problem(inner, f'unknown key "{name}"{near}', key=True)
        elif detail["loc"] == ("version",) and kind == "literal_error":
            self.problem(inner, "only version 1 of the rules file is known")
        elif kind == "missing":
            self.problem(path, f'the key "{detail["loc"][-1]}" is missing')
        else:
            self.problem(inner, _SAID.get(kind) or detail["msg"].removeprefix("Value error, "))


_SAID = {
    "string_type": "expected text; quote it if it looks like a number or a truth value",
    "list_type": "expected text or a list of texts",
    "dict_type": "expected `key: value` pairs",
    "model_type": "expected `key: value` pairs",
    "model_attributes_type": "expected `key: value` pairs",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
