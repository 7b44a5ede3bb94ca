"""Push webhooks of the forge that the rules' repository lives in: whose they are, what they say.

    InvalidPushError    it is signed, and no push can be read from it

GitHub: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
GitLab: https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
"""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

_PUSHES = {"push", "Push Hook", "Tag Push Hook"}


class InvalidPushError(Exception):
    pass


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """GitHub signs the body; GitLab sends the secret itself."""
    signature = headers.get("x-hub-signature-256")
    if signature is not None:
        right = "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()
        return hmac.compare_digest(signature.encode(), right.encode())
    token = headers.get("x-gitlab-token")
    return token is not None and hmac.compare_digest(token.encode(), secret.encode())


def ignored(headers: Mapping[str, str], body: bytes, ref: str) -> str | None:
    """Why this is no push of the ref ("" is the default branch); None: it is one.

    Raises InvalidPushError.
    """
    kind = headers.get("x-github-event") or headers.get("x-gitlab-event") or "push"
    if kind not in _PUSHES:
        return f"{kind[:80]} is no push"
    push = _push(body, headers.get("content-type", ""))
    wanted = {ref, f"refs/heads/{ref}", f"refs/tags/{ref}"}
    if not ref:
        branch = _default_branch(push)
        if branch is None:  # it may be the default branch: better one fetch too many
            return None
        wanted = {f"refs/heads/{branch}"}
    return None if push["ref"] in wanted else f"{push['ref'][:200]} is not followed"


def _push(body: bytes, content_type: str) -> dict[str, Any]:
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            body = parse_qs(body.decode(), strict_parsing=True)["payload"][0].encode()
        push = json.loads(body)
    except (ValueError, KeyError, RecursionError):
        raise InvalidPushError("the body is no JSON") from None
    if not isinstance(push, dict) or not isinstance(push.get("ref"), str):
        raise InvalidPushError("the push names no ref")
    return push


def _default_branch(push: dict[str, Any]) -> str | None:
    for key in ("repository", "project"):  # GitHub, GitLab
        about = push.get(key)
        branch = about.get("default_branch") if isinstance(about, dict) else None
        if isinstance(branch, str):
            return branch
    return None
