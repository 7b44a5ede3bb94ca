"""`visible:` of the rules file: which values of an event's context may be kept and shown.

    visible: [extra.order_id, request.headers.x-request-id, contexts.runtime.*, tags.customer]

A name is dotted, and leads to one value. `*` is any run of characters, dots among them, and `?`
any one, as in the file's other globs; compared whole, but whatever the case of what follows the
first word, as headers are.
"""

from collections.abc import Iterable

from matchers.errors import did_you_mean
from matchers.globs import compile_glob
from matchers.patterns import PatternError

WORDS = ("breadcrumbs", "contexts", "extra", "request", "tags", "user", "vars")
LONGEST = 200  # characters of a name


def check_visible(name: str) -> None:
    """Raises PatternError."""
    word, dot, rest = name.partition(".")
    if word not in WORDS:
        said = f'"{name[:80]}" begins with none of {", ".join(WORDS)}'
        raise PatternError(said + did_you_mean(word.lower(), WORDS))
    if not dot:
        raise PatternError(f'"{name}" names no value; "{name}.*" is all of them')
    if not all(rest.split(".")) or rest != rest.strip():
        raise PatternError(f'"{name[:80]}" has an empty part')
    if len(name) > LONGEST:
        raise PatternError(f"a name has at most {LONGEST} characters")


class Visible:
    """The compiled list; an empty one shows nothing, and is false."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        lowered = [name.lower() for name in names]
        self._whole = {name for name in lowered if "*" not in name and "?" not in name}
        self._globs = [compile_glob(name) for name in lowered if name not in self._whole]
        self._words = {name.partition(".")[0] for name in lowered}

    def __bool__(self) -> bool:
        return bool(self._words)

    def looks_into(self, word: str) -> bool:
        """May it show anything that begins with this word? Asked before that is decoded."""
        return word in self._words

    def shows(self, name: str) -> bool:
        name = name.lower()
        return name in self._whole or any(fits(name) for fits in self._globs)


NOTHING = Visible()
