"""What can be pressed in a bot's message, and the words in which a press comes back.

Spec: https://docs.slack.dev/reference/block-kit/blocks/actions-block
Limits: a button's text holds 75 characters, an option's text and value 75, an action_id and a
block_id 255; a menu 100 options.
Teams may be more than a menu holds, so theirs asks us for those that fit what was typed:
https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

RESOLVE, IGNORE, ASSIGN, SILENCE = "resolve", "ignore", "assign", "silence"
IGNORED_FOR = timedelta(days=1)
SILENCES = {
    "1 h": timedelta(hours=1),
    "8 h": timedelta(hours=8),
    "24 h": timedelta(days=1),
    "7 d": timedelta(days=7),
}
OPTION_LIMIT = 75
OPTIONS_LIMIT = 100
_BLOCK = re.compile(r"group:([0-9a-f]{16})")

Block = dict[str, Any]


def buttons(group: str) -> Block:
    return {
        "type": "actions",
        "block_id": f"group:{group}",
        "elements": [
            {**_button(RESOLVE, "Resolve"), "style": "primary"},
            _button(IGNORE, "Ignore 24 h"),
            {
                "type": "external_select",
                "action_id": ASSIGN,
                "placeholder": _plain("Not ours, but…"),
                "min_query_length": 0,
            },
            {
                "type": "static_select",
                "action_id": SILENCE,
                "placeholder": _plain("Silence for…"),
                "options": options((length, length) for length in SILENCES),
            },
        ],
    }


def group_of(block_id: object) -> str | None:
    """The group whose buttons they are; None: it is no block of ours."""
    found = _BLOCK.fullmatch(block_id) if isinstance(block_id, str) else None
    return found[1] if found else None


def options(named: Iterable[tuple[str, str]]) -> list[Block]:
    """named: value and text. A value past the limit is left out, a text is cut."""
    fitting = [(value, text) for value, text in named if 0 < len(value) <= OPTION_LIMIT]
    return [
        {"text": _plain(text[:OPTION_LIMIT] or value), "value": value}
        for value, text in fitting[:OPTIONS_LIMIT]
    ]


def _button(action: str, text: str) -> Block:
    return {"type": "button", "action_id": action, "text": _plain(text)}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}
