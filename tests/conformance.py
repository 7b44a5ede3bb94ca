"""The conformance cases, loaded as they are, and the harness that their README describes."""

import json
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data" / "conformance"


def cases(name: str) -> list[Any]:
    loaded: list[Any] = yaml.safe_load((DATA / name).read_text())
    return loaded


def rules_file(rules: dict[str, Any], folder: Path) -> Path:
    """`version: 1` is implied, and every owner named is a known team unless `teams` lists them."""
    teams = rules.get("teams") or {owner: {} for owner in sorted(_owners(rules))}
    path = folder / "ownership_rules.yaml"
    path.write_text(json.dumps({"version": 1, **rules, "teams": teams}))
    return path


def _owners(rules: dict[str, Any]) -> set[str]:
    named = {rules["default"]} if rules.get("default") else set()
    for section in ("overrides", "rules", "fallbacks"):
        for rule in rules.get(section, ()):
            named.update([rule["owner"]] if "owner" in rule else rule.get("owners", ()))
    return named
