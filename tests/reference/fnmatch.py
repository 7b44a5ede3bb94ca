"""The slow, obvious reference for GitLab's patterns: Ruby's File.fnmatch?, character by character.

Spec: https://docs.ruby-lang.org/en/3.3/File.html#method-c-fnmatch with FNM_PATHNAME | FNM_DOTMATCH.
"""


def owns(pattern: str, path: str) -> bool:
    return fnmatch(_normal(pattern), f"/{path}")


def _normal(pattern: str) -> str:
    if pattern == "*":
        return "/**/*"
    pattern = pattern if pattern.startswith("/") else f"/**/{pattern}"
    return f"{pattern}**/*" if pattern.endswith("/") else pattern


def fnmatch(pattern: str, path: str, *, starts: bool = True) -> bool:
    """starts: both are at the start of a segment."""
    if not pattern:
        return not path
    if starts and pattern.startswith("**/"):
        rest = pattern[3:]
        begins = [0, *(at + 1 for at, character in enumerate(path) if character == "/")]
        return any(fnmatch(rest, path[at:]) for at in begins)
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        runs = path.split("/")[0]
        return any(fnmatch(rest, path[at:], starts=False) for at in range(len(runs) + 1))
    if head == "/":
        return path.startswith("/") and fnmatch(rest, path[1:])
    if not path or path[0] == "/":
        return False
    if head == "[":
        inner, rest = rest.split("]", 1)
        return _in_range(inner, path[0]) and fnmatch(rest, path[1:], starts=False)
    if head == "\\":
        head, rest = rest[0], rest[1:]
        return head == path[0] and fnmatch(rest, path[1:], starts=False)
    return (head == "?" or head == path[0]) and fnmatch(rest, path[1:], starts=False)


def _in_range(inner: str, character: str) -> bool:
    negated = inner[:1] in ("!", "^")
    members = inner[negated:]
    found = False
    while members:
        if members[1:2] == "-" and len(members) > 2:
            found = found or members[0] <= character <= members[2]
            found = found or character in (members[0], members[2])
            members = members[3:]
        else:
            found = found or members[0] == character
            members = members[1:]
    return found is not negated
