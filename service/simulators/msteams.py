"""A Teams channel behind a Workflow, or behind one of the older connectors.

Spec: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
Limits: https://learn.microsoft.com/en-us/microsoftteams/platform/bots/how-to/format-your-bot-messages
Card: https://adaptivecards.io/explorer/
A Workflow answers 202 and nothing before it runs; what became of the card stands in `runs`. The
message is counted larger than it was sent: 24,453 bytes as 28,897
(https://github.com/MicrosoftDocs/msteams-docs/issues/11274).
"""

import json
from typing import Any

import httpx

COUNTED_LIMIT = 28 * 1024  # bytes
COUNTED_AS = 28_897 / 24_453
CARD = "application/vnd.microsoft.card.adaptive"
# What a card 1.4 may hold, as far as it is of use to an alert: the element, what it must have.
ELEMENTS = {
    "TextBlock": ("text",),
    "RichTextBlock": ("inlines",),
    "TextRun": ("text",),
    "FactSet": ("facts",),
    "Container": ("items",),
    "ColumnSet": ("columns",),
    "Column": ("items",),
    "Action.OpenUrl": ("title", "url"),
}
WORDS = {
    "style": {"default", "emphasis", "good", "attention", "warning", "accent"},
    "size": {"default", "small", "medium", "large", "extraLarge"},
    "weight": {"default", "lighter", "bolder"},
    "fontType": {"default", "monospace"},
    "color": {"default", "dark", "light", "accent", "good", "warning", "attention"},
}

Json = dict[str, Any]


class Workflow:
    """`posted` holds the cards that the channel shows, `runs` how each run of the flow ended."""

    def __init__(self, path: str, signature: str, *, enabled: bool = True) -> None:
        self.path = path
        self.signature = signature
        self.enabled = enabled
        self.posted: list[Json] = []
        self.runs: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != self.path:
            return refusal(404, "WorkflowNotFound")
        if request.url.params.get("sig") != self.signature:
            return refusal(401, "DirectApiAuthorizationRequired")
        if not self.enabled:
            return refusal(400, "WorkflowTriggerIsNotEnabled")
        self.runs.append(self._run(request.content))
        return httpx.Response(202, headers={"x-ms-workflow-run-id": f"{len(self.runs):020}"})

    def _run(self, body: bytes) -> str:
        wrong = failing(body)
        if not wrong:
            self.posted.append(json.loads(body)["attachments"][0]["content"])
        return wrong or "Succeeded"


def connector(request: httpx.Request) -> httpx.Response:
    """The connectors before the Workflows: a failure is a 200 in words."""
    if counted(request.content) <= COUNTED_LIMIT:
        return httpx.Response(200, text="1")
    return connector_failure(413)


def connector_failure(status: int) -> httpx.Response:
    said = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP"
    return httpx.Response(200, text=f"{said} error {status} with ContextId tcid=0,server=PEPF1")


def failing(body: bytes) -> str:
    """Why a flow that was told this fails; empty when it posts the card."""
    try:
        message = json.loads(body)
    except ValueError:
        return "InvalidTemplate: the body is not JSON"
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or not attachments:
        return "ExpressionEvaluationFailed: 'Apply to each' was given null"
    if attachments[0].get("contentType") != CARD:
        return "BadRequest: the attachment is no card"
    if counted(body) > COUNTED_LIMIT:
        return "RequestEntityTooLarge: message size 28 KB"
    return invalid(attachments[0].get("content", {}))


def counted(body: bytes) -> int:
    return int(len(body) * COUNTED_AS)


def invalid(card: Json) -> str:
    """What is wrong with a card; empty: nothing."""
    if card.get("type") != "AdaptiveCard" or card.get("version") not in ("1.2", "1.3", "1.4"):
        return "BadRequest: AdaptiveCard"
    wrong = [found for element in elements(card) if (found := wrong_with(element))]
    return f"BadRequest: {wrong[0]}" if wrong else ""


def wrong_with(element: Json) -> str:
    kind = element.get("type", "")
    if kind not in ELEMENTS:
        return f"no such element: {kind}"
    lacking = [name for name in ELEMENTS[kind] if not element.get(name)]
    strange = [
        name
        for name, words in WORDS.items()
        if name in element and element[name].lower() not in {word.lower() for word in words}
    ]
    facts = element.get("facts", [])
    lacking += [name for fact in facts for name in ("title", "value") if not fact.get(name)]
    return f"{kind}: {', '.join(lacking + strange)}" if lacking or strange else ""


def elements(parent: Json) -> list[Json]:
    """Every element below it, in the order shown."""
    inside = [
        child
        for name in ("body", "items", "columns", "inlines", "actions")
        for child in parent.get(name, [])
    ]
    return [found for child in inside for found in (child, *elements(child))]


def refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "…"}})
