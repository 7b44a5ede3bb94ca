"""As much of JSON Schema as the schema of the rules file uses; refuses to judge by what it lacks.

Spec: https://json-schema.org/draft/2020-12/schema
"""

import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_SAYS_NOTHING = {
    "title",
    "description",
    "default",
    "format",
    "writeOnly",
    "examples",
    "$defs",
    "$schema",
}
_KNOWN = {
    *(
        "$ref",
        "anyOf",
        "type",
        "const",
        "enum",
        "minLength",
        "minItems",
        "maxItems",
        "minProperties",
        "pattern",
    ),
    *("items", "properties", "additionalProperties", "required"),
}


def mistakes(value: Any, schema: Any, root: Any, at: str = "") -> Iterator[str]:
    """Places in the value, and the words of the schema that they break."""
    if schema is True:
        return
    lacking = schema.keys() - _KNOWN - _SAYS_NOTHING
    assert not lacking, f"nobody here knows {lacking}"
    if "$ref" in schema:
        yield from mistakes(value, root["$defs"][schema["$ref"].split("/")[-1]], root, at)
    if "anyOf" in schema and all(any(mistakes(value, one, root)) for one in schema["anyOf"]):
        yield f"{at}: anyOf"
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is(value, name) for name in names):
            yield f"{at}: type"
    if "const" in schema and value != schema["const"]:
        yield f"{at}: const"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: enum"
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield f"{at}: minLength"
        if not re.search(schema.get("pattern", ""), value):
            yield f"{at}: pattern"
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield f"{at}: minItems"
        if len(value) > schema.get("maxItems", len(value)):
            yield f"{at}: maxItems"
        for index, item in enumerate(value):
            yield from mistakes(item, schema.get("items", True), root, f"{at}/{index}")
    elif isinstance(value, dict):
        yield from _of_mapping(value, schema, root, at)


def _of_mapping(value: dict[str, Any], schema: Any, root: Any, at: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    if len(value) < schema.get("minProperties", 0):
        yield f"{at}: minProperties"
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}: required {name}"
    for name, item in value.items():
        known = properties.get(name, schema.get("additionalProperties", True))
        if known is False:
            yield f"{at}/{name}: additionalProperties"
        else:
            yield from mistakes(item, known, root, f"{at}/{name}")


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])
