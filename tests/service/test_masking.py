"""What of an event goes on to the database, the pages and the teams."""

from typing import Any

import msgspec
import pytest

from matchers.event import Event, ExceptionValue, Frame
from service.masking import mask, masked
from service.pipeline import decide
from tests.builders import an_event, the_rules

RULES = the_rules(
    """
teams: {a: {}}
explicit_owner_tags: [squad]
visible: [tags.Cust*, extra.*, user.id]
rules: [{path: /x/, tags: {queue: mail}, owner: a}]
overrides: [{message: x, not: {tags: {tenant: eu}}, owner: a}]
"""
)


def having(**fields: Any) -> Event:
    return msgspec.structs.replace(an_event(), **fields)


def tags(**given: str) -> dict[str, str]:
    return mask(an_event(tags=given), RULES).tags


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("squad", "a", "a"),
        ("queue", "mail", "mail"),
        ("tenant", "eu", "eu"),
        ("customer", "7", "7"),
        ("runtime", "CPython 3.11", "CPython 3.11"),
        ("plan", "gold", "[masked]"),
        ("team", "a", "[masked]"),
        ("queue", "of ada@example.com", "of [masked: e-mail]"),
        ("url", "https://u:p@example.com/a?b=c#d", "https://example.com/a"),
        ("custom_token", "abc", "[masked: secret]"),
    ],
)
def test_a_tag_is_kept_where_a_rule_a_standard_or_the_list_names_it(
    name: str, value: str, kept: str
) -> None:
    assert tags(**{name: value}) == {name: kept}


def test_before_any_rules_the_usual_tags_are_known() -> None:
    event = an_event(tags={"team": "a", "os.name": "Linux", "customer": "7"})
    assert mask(event, None).tags == {"team": "a", "os.name": "Linux", "customer": "[masked]"}


def test_the_context_holds_what_is_visible_now_and_never_a_secret() -> None:
    context = {
        "extra.note": "for ada@example.com",
        "extra.api_key": "k1",
        "user.id": "7",
        "user.name": "ada",
    }
    assert mask(having(context=context), RULES).context == {
        "extra.note": "for [masked: e-mail]",
        "extra.api_key": "[masked: secret]",
        "user.id": "7",
    }
    assert mask(having(context=context), None).context == {}


def test_a_warning_quotes_no_more_than_the_event() -> None:
    decided = masked(decide(an_event(tags={"squad": "ada@example.com"}), RULES))
    said = 'tag squad names "[masked: e-mail]", which is no team'
    assert [warned.message for warned in decided.ownership.warnings] == [said]


def test_a_decision_names_a_function_and_an_exception_no_more_than_the_event() -> None:
    frame = Frame(filename="x/a.py", function="to ada@example.com", module="m?token=abc123")
    error = ExceptionValue(type="ada@example.com", module="k, password=x1", frames=(frame,))
    decided = masked(decide(having(exceptions=(error,)), RULES))
    (kept,) = decided.event.exceptions
    assert (kept.module, kept.frames[0].module) == (
        "k, password=[masked: secret]",
        "m?token=[masked: secret]",
    )
    (walked,) = decided.ownership.trail
    assert (walked.frame.function, walked.frame.exception) == (
        "to [masked: e-mail]",
        "[masked: e-mail]",
    )


@pytest.mark.parametrize("trace", ["4bf92f3577b34da6a3ce929d0e0e4736", None])
def test_a_trace_id_is_kept(trace: str | None) -> None:
    assert mask(having(trace_id=trace), None).trace_id == trace


def test_what_is_no_trace_id_is_not_kept() -> None:
    assert mask(having(trace_id="ada"), None).trace_id is None


def test_masking_again_changes_nothing() -> None:
    event = having(message="ada@example.com", tags={"plan": "x"}, context={"user.id": "7"})
    once: Event = mask(event, RULES)
    assert mask(once, RULES) == once


SECRETS = ("ada@example.com", "4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLE", "password=hunter22")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("kept", range(6, 20))
def test_of_a_secret_that_was_cut_no_piece_stays(secret: str, kept: int) -> None:
    text = ("x" * 8191 + f" {secret[:kept]}")[-8192:]
    shown = mask(having(message=text), RULES).message
    assert shown is not None
    assert secret[:6] not in shown.replace("password=[masked: secret]", "")
    assert shown.startswith(text[:8000])


def test_what_was_not_cut_keeps_its_end() -> None:
    assert mask(having(message="card 4111 1111"), RULES).message == "card 4111 1111"
