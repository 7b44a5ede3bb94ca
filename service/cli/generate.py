"""`pointsman generate`: files for other tools, from the rules."""

import typer

from matchers.generate import generate_codeowners
from service.cli.base import AsJson, RulesFile, answer_json, complain, load, rules_path, talk

app = typer.Typer(help="Files for other tools, from the rules.", no_args_is_help=True)


@app.callback()
def generate() -> None:
    """Files for other tools, from the rules."""


@app.command("codeowners")
def codeowners(rules: RulesFile = None, as_json: AsJson = False) -> None:
    """A CODEOWNERS file in GitHub's dialect, for reviews; `review: false` leaves a rule out."""
    loaded = load(rules)
    complain(loaded.problems)
    aliases = {slug: team.aliases for slug, team in loaded.rules.teams.items()}
    source = str(rules or rules_path())
    made = generate_codeowners(loaded.rules.ruleset.rules, aliases, source)
    left_out = [f"{problem.origin}: {problem.message}" for problem in sorted(made.left_out)]
    if as_json:
        answer_json({"file": made.text, "left_out": left_out})
        return
    print(made.text, end="")
    for said in left_out:
        talk.print(said, markup=False)
