"""Writes ownership_rules.schema.json: `make docs`. tests/test_schema.py compares."""

import json

from routers.schema import rules_schema


def page() -> str:
    return json.dumps(rules_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(page(), end="")
