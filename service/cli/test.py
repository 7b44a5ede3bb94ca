"""`pointsman test`: the `tests:` of the rules file."""

from typing import Any

import typer

from matchers.errors import Origin
from matchers.ownership import decision, why
from matchers.sources.cases import Case
from routers.rules import Rules
from service.cli.base import (
    FINDINGS,
    AsJson,
    Repository,
    RulesFile,
    answer_json,
    complain,
    load,
    talk,
)
from service.cli.findings import AsFormat, Format, chosen, print_findings
from service.findings import Finding
from service.pipeline import decide


def run_tests(
    rules: RulesFile = None,
    repo: Repository = None,
    form: AsFormat = Format.TEXT,
    as_json: AsJson = False,
) -> None:
    """Run the tests in the rules file. Exits with 1 where one fails or the file has a problem."""
    form = chosen(form, as_json=as_json)
    loaded = load(rules, repo)
    if form is not Format.GITHUB:  # a line of the log could be a workflow command: check escapes
        complain(loaded.problems)
    results = [_run(case, loaded.rules) for case in loaded.rules.cases]
    failed = [result for result in results if not result["passed"]]
    if form is Format.JSON:
        answer_json({"tests": results})
    elif form is Format.GITHUB:
        print_findings(map(_finding, failed), form)
    else:
        for result in failed:
            print(f"{result['file']}:{result['line']}: {result['said']}")
    talk.print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    if failed or loaded.problems:
        raise typer.Exit(FINDINGS)


def _finding(result: dict[str, Any]) -> Finding:
    return Finding("failed_test", Origin(result["file"], result["line"]), result["said"])


def _run(case: Case, rules: Rules) -> dict[str, Any]:
    ownership = decide(case.event, rules).ownership
    right_step = case.step is None or case.step == ownership.step
    wanted = f"{case.owner or 'nobody'}" + (f" by step {case.step}" if case.step else "")
    got = f"{ownership.owner or 'nobody'} by step {ownership.step}"
    return {
        "file": case.origin.file,
        "line": case.origin.line,
        "passed": case.owner == ownership.owner and right_step,
        "said": f"expected {wanted}, got {got}: {why(ownership)}",
        "ownership": decision(ownership),
    }
