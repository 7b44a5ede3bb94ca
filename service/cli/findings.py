"""Findings as text, as JSON, and as the workflow commands by which GitHub annotates a change.

Spec of these: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from service.findings import ERRORS, Finding


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


AsFormat = Annotated[
    Format, typer.Option("--format", help="github: as annotations of a pull request.")
]


def chosen(form: Format, *, as_json: bool) -> Format:
    """`--json` is short for `--format json`."""
    return Format.JSON if as_json else form


def print_findings(findings: Iterable[Finding], form: Format) -> None:
    """As text or for GitHub: one line each."""
    for finding in findings:
        print(command(finding) if form is Format.GITHUB else finding)


def command(finding: Finding) -> str:
    """As a workflow command; its file from where GitHub looks at it, the root of the checkout."""
    level = "error" if finding.kind in ERRORS else "warning"
    place = finding.origin
    about = (
        {"file": _in_workspace(place.file), "line": place.line, "col": place.column}
        if place
        else {}
    )
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in about.items())
    return f"::{level}{properties and ' ' + properties}::{_message(finding.message)}"


def finding_json(finding: Finding) -> dict[str, Any]:
    place = finding.origin
    where = {
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }
    return {"kind": finding.kind, **where, "message": finding.message}


def _in_workspace(file: str) -> str:
    workspace = Path(os.environ.get("GITHUB_WORKSPACE", "")).resolve()  # else here
    place = Path(file).parent.resolve() / Path(file).name
    return str(place.relative_to(workspace)) if place.is_relative_to(workspace) else file


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
