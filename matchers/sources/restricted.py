"""What a team file may assign where team files are restricted: to its own team alone."""

from collections.abc import Mapping

from matchers.ruleset import Rule


def why_refused(rule: Rule, team: str | None, names: Mapping[str, str]) -> str | None:
    """None: the file may have the rule. team: the one that the file names as its own."""
    own = names.get(team or "")
    if own is None:
        return "name the `team:` of this one"
    if rule.resolve is not None:
        return "who owns by this is known only when it is asked; it belongs in the root file"
    others = ", ".join(owner for owner in rule.owners if owner != own)
    return f"this one may not assign to {others}" if others else None
