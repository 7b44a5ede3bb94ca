"""Other vendors' reports in the shape of a Sentry event, which sentry_event reads leniently.

Rollbar, Bugsnag, Honeybadger and Airbrake say the same in other words: files below the project's
root, exceptions with the thrown one first, source lines by number. Whatever does not fit (a text
for a list, a list for a number) is passed over here or mended there; only what says nothing at
all is refused.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from matchers.event import Event
from matchers.sketch import is_absolute
from matchers.text import NAME, PATH, clean, cut_middle
from service.ingest.base import InvalidEventError, Request
from service.ingest.limits import EXCEPTIONS, FRAMES
from service.ingest.sentry_event import event_of

Tree = dict[str, object]

# Honeybadger's [PROJECT_ROOT]/x and Airbrake's /PROJECT_ROOT/x; so with what is not the project's
_PLACEHOLDER = re.compile(
    r"(?:\[(PROJECT_ROOT|GEM_ROOT)\]|/(PROJECT_ROOT|GEM_ROOT|SITE_PACKAGES))/"
)
_JVM_FILE = re.compile(r"[^/\\]+\.(?:java|kt|kts|scala|groovy|clj)")
_NO_PATH = re.compile(r"[<(\[]|[^/]*:|\Z")  # <anonymous>, node:fs, https://…, nothing
_DOTTED = re.compile(r"[\w$]+(?:\.[\w$]+)+")
# The first that occurs in what a client says of itself; "airbrake-js/node" is Node.
_PLATFORMS = (
    ("node", re.compile(r"node")),
    ("javascript", re.compile(r"javascript|browser|\bjs\b|react|expo|electron")),
    ("python", re.compile(r"python|pybrake|pyrollbar")),
    ("ruby", re.compile(r"ruby|rails")),
    ("php", re.compile(r"php|laravel")),
    ("elixir", re.compile(r"elixir")),
    ("java", re.compile(r"java|kotlin|android|jvm")),
    ("csharp", re.compile(r"csharp|c#|\.net\b|dotnet|\bunity")),
    ("cocoa", re.compile(r"cocoa|swift|objective-c|\bios\b|\bmacos\b")),
    ("dart", re.compile(r"dart|flutter")),
    ("go", re.compile(r"\bgo(?:lang|brake)?(?![a-z])")),
)


def event_said(tree: Mapping[str, object], request: Request, place: str | None = None) -> Event:
    """Raises InvalidEventError (empty_event), with its place in the sender's own words."""
    event = event_of(tree, request)
    if not event.exceptions and not event.message:
        raise InvalidEventError("empty_event", "neither an exception nor a message", place)
    return event


def chain(errors: object) -> Sequence[Mapping[str, object]]:
    """The exceptions of a list: as many as are kept, so that no more are translated."""
    return cut_middle(members(errors), EXCEPTIONS)


def stack(frames: object) -> Sequence[Mapping[str, object]]:
    """The frames of a list, likewise."""
    return cut_middle(members(frames), FRAMES)


def exceptions(thrown_first: Sequence[Tree], handled: object = None) -> list[Tree]:
    """Root cause → thrown. The vendors call the inner ones causes, and so they are walked."""
    thrown = [{**one, "mechanism": {"handled": handled}} for one in thrown_first[:1]]
    causes = [{**one, "mechanism": {"source": "__cause__"}} for one in thrown_first[1:]]
    return [*reversed(causes), *thrown]


def exception(name: object, message: object, frames: Iterable[Tree]) -> Tree:
    """One exception; its frames caller → raise. A dotted name is its module and its type."""
    named = clean(name, NAME)
    module, kind = None, named
    if named and _DOTTED.fullmatch(named):
        module, _, kind = named.rpartition(".")
    return {"type": kind, "value": message, "module": module, "stacktrace": list(frames)}


def traced(
    error: Mapping[str, object],
    told: Callable[[Mapping[str, object]], Tree],
    *,
    name: str = "class",
    frames: str = "backtrace",
) -> Tree:
    """One exception, by the client's names of its type and of its frames, the raise first."""
    calls = [told(one) for one in stack(error.get(frames))]
    return exception(error.get(name), error.get("message"), calls[::-1])


def frame(file: object, root: object, function: object, **more: object) -> Tree:
    """One frame. file: as the client names it; root: the project's, on the client's disk."""
    placed = _placed(clean(file, PATH) or "", _root(clean(root, PATH) or ""))
    told = {name: value for name, value in more.items() if value is not None}
    return {"function": function, **_in_class(placed, function), **placed, **told}


def source_line(lines: object, number: object) -> object:
    """Of the lines around a frame, by number, the one it stands on."""
    return mapping(lines).get(clean(number) or "")


def platform_of(*said: object) -> str | None:
    """In Sentry's words, from what a client says of itself and of its language."""
    text = " ".join(filter(None, map(clean, said))).lower()
    return next((name for name, regex in _PLATFORMS if regex.search(text)), None)


def action_of(about: Mapping[str, object]) -> str | None:
    """`UsersController#show`, where a client tells its `component` and `action`."""
    return "#".join(filter(None, map(clean, (about.get("component"), about.get("action"))))) or None


def mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def members(value: object) -> list[Mapping[str, object]]:
    """The objects in a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _root(path: str) -> str:
    """Without its last slash. A very long one is none: it would be repeated in every frame."""
    return path.rstrip("/\\") if len(path) <= NAME else ""


def _placed(file: str, root: str) -> Tree:
    """Its path below the root, which the rules see, and the one on disk, for source roots.

    A file below the root may still be a package's: in_app stays unsaid, so its path tells.
    """
    if found := _PLACEHOLDER.match(file):
        file = file[found.end() :]
        if "PROJECT_ROOT" not in found.groups():
            return {"filename": file, "in_app": False}
    elif root and file.startswith((f"{root}/", f"{root}\\")):
        return {"filename": file[len(root) + 1 :], "abs_path": file}
    elif is_absolute(file):
        return {"abs_path": file}
    on_disk = is_absolute(root) and not _NO_PATH.match(file) and not _JVM_FILE.fullmatch(file)
    return {"filename": file, "abs_path": f"{root}/{file}" if on_disk else None}


def _in_class(placed: Tree, function: object) -> Tree:
    """The JVM's clients write `com.shop.Tax.rate` for the method, and only a name for the file."""
    named = clean(function, NAME) or ""
    if not _JVM_FILE.fullmatch(str(placed.get("filename") or "")) or "." not in named:
        return {}
    module, _, method = named.rpartition(".")
    return {"module": module, "function": method}
