"""The rules file as a JSON Schema, for editors: made of the models that check it.

Spec: https://json-schema.org/draft/2020-12/schema. Committed as ownership_rules.schema.json
(`make docs`), which a test compares; served at /api/v1/rules/schema.
"""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from matchers.sources.cases import Expected
from matchers.sources.schema import (
    FileEntry,
    GroupingRule,
    IncludeEntry,
    ProjectEntry,
    RootEntry,
    RuleEntry,
    TeamEntry,
)
from matchers.visible import WORDS
from routers.channels import CHANNELS
from routers.notification import Severity
from routers.policy import Policy
from routers.runbooks import FeatureEntry
from routers.teams import ReceiverEntry
from routers.wording import KEYS

_REF = "#/$defs/{model}"
_TEXT = {"type": "string", "minLength": 1}
_VISIBLE = rf"^({'|'.join(WORDS)})\."
_LISTED = {
    "When": ("severity", "reason", "level"),
    "SeverityWhen": ("level",),
    "SeverityTable": get_args(Severity),
}
_ROOTS = {
    "type": "array",
    "items": {"anyOf": [_TEXT, {"$ref": _REF.format(model="RootEntry")}]},
}


def rules_schema() -> dict[str, Any]:
    models: list[type[BaseModel]] = [
        Expected,
        FeatureEntry,
        GroupingRule,
        IncludeEntry,
        Policy,
        ProjectEntry,
        ReceiverEntry,
        RootEntry,
        RuleEntry,
        TeamEntry,
        *CHANNELS.values(),
    ]
    _, shared = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    definitions = shared["$defs"]
    definitions["TeamEntry"]["properties"]["receivers"] = _list_of("ReceiverEntry")
    definitions["TeamEntry"]["properties"]["runbook"] = _TEXT
    definitions["ProjectEntry"]["properties"]["source_roots"] = _ROOTS
    for model, fields in _LISTED.items():  # one stands for a list of one
        for field in fields:
            either = definitions[model]["properties"][field]["anyOf"]
            either.insert(0, either[0]["items"])
    file = TypeAdapter(FileEntry).json_schema(ref_template=_REF)
    properties = {**file["properties"], **_sections()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ownership_rules.yaml",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": properties,
        "$defs": dict(sorted(definitions.items())),
    }


def _sections() -> dict[str, Any]:
    rules = _list_of("RuleEntry")
    return {
        "version": {"const": 1},
        "source_roots": _ROOTS,
        "teams": _mapping_of({"anyOf": [_ref("TeamEntry"), {"type": "null"}]}),
        "channels": _mapping_of({"anyOf": [_channel(kind) for kind in CHANNELS]}),
        "projects": _mapping_of(_ref("ProjectEntry")),
        "features": _mapping_of({"anyOf": [_ref("FeatureEntry"), {"type": "null"}]}),
        "explicit_owner_tags": {"type": "array", "items": _TEXT},
        "overrides": rules,
        "rules": {
            "type": "array",
            "items": {"anyOf": [_ref("RuleEntry"), _ref("IncludeEntry")]},
        },
        "fallbacks": rules,
        "grouping": _list_of("GroupingRule"),
        "default": _TEXT,
        "unowned": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"receivers": _list_of("ReceiverEntry")},
        },
        "policy": _ref("Policy"),
        "visible": {"type": ["array", "null"], "items": {"type": "string", "pattern": _VISIBLE}},
        "tests": _list_of("Expected"),
    }


def _channel(kind: str) -> Mapping[str, Any]:
    """A channel is a mapping of one kind to its settings; and its templates."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [kind],
        "properties": {kind: _ref(CHANNELS[kind].__name__), **dict.fromkeys(KEYS, _TEXT)},
    }


def _mapping_of(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "additionalProperties": value}


def _list_of(model: str) -> dict[str, Any]:
    return {"type": ["array", "null"], "items": _ref(model)}


def _ref(model: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=model)}
