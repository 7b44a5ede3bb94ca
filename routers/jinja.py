"""Templates of messages: of Jinja2 the part that always ends, soon.

Spec: https://jinja.palletsprojects.com/en/stable/templates/
Any team writes templates, and strangers write what goes in. So a template chooses, cuts and joins
what it is given, and nothing else: no calls, no arithmetic, no assignments, no macros, no loop in
a loop, no attribute of anything but plain data. Lists are short, what a filter makes is cut, and
nobody goes on once there is more than a message holds: the work is bounded by the template's
length. The sandbox is a second fence. What comes out is text: each channel escapes it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment

from matchers.errors import did_you_mean
from routers.errors import WordingError

TEMPLATE_LIMIT = 4_000  # characters
VALUE_LIMIT = 1_000  # of what a filter makes
DEPTH_LIMIT = 30
WHY_LIMIT = 200

Render = Callable[[Mapping[str, Any]], str]

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Name),
    *(nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test, nodes.Compare),
    *(nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.List, nodes.Tuple),
)
_CALLED = {  # what people would look for, in their words
    nodes.Call: "a call",
    nodes.Assign: "`set`",
    nodes.AssignBlock: "`set`",
    nodes.Macro: "a macro",
    nodes.Include: "`include`",
    nodes.Import: "`import`",
    nodes.FromImport: "`import`",
    nodes.Extends: "`extends`",
    nodes.Block: "a block",
    nodes.Concat: "`~`: write one behind the other",
}


def _text(value: Any) -> str:
    if isinstance(value, str | int | float) or value is None or isinstance(value, Undefined):
        return "" if value is None else str(value)
    raise TypeError(f"a {type(value).__name__} is no text")


def _list(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return list(value)
    raise TypeError(f"a {type(value).__name__} is no list")


def _truncate(value: Any, length: int = 80) -> str:
    text = _text(value)
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


_FILTERS: dict[str, Callable[..., Any]] = {
    "capitalize": lambda value: _text(value).capitalize(),
    "default": lambda value, other="": _text(value) or other,
    "first": lambda value: next(iter(_list(value)), ""),
    "join": lambda value, between=", ": str(between)[:80].join(map(_text, _list(value))),
    "last": lambda value: next(reversed(_list(value)), ""),
    "length": lambda value: len(_list(value)),
    "lower": lambda value: _text(value).lower(),
    "trim": lambda value: _text(value).strip(),
    "truncate": _truncate,
    "upper": lambda value: _text(value).upper(),
}
_TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "none": lambda value: value is None,
}


class _PlainData(SandboxedEnvironment):
    """In which a name behind a dot is a key of a mapping, or there is none."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in ("index", "first", "last", "length"):
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)


def compile_template(text: str, known: tuple[str, ...], limit: int) -> Render:
    """known: the names that it may use. limit: characters that it can make; the rest is cut.

    Raises ValueError: it is no template, or does what none may. What is returned raises
    WordingError where it fails.
    """
    if len(text) > TEMPLATE_LIMIT:
        raise ValueError(f"is longer than {TEMPLATE_LIMIT:,} characters")
    try:
        tree = _ENVIRONMENT.parse(text)
        for line, why in _refused(tree, known):
            raise ValueError(f"line {line} of the template: {why}")
        template = _ENVIRONMENT.from_string(text)
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno} of the template: {error.message}") from None
    except (RecursionError, SyntaxError):
        raise ValueError("the template is nested too deep") from None

    def render(facts: Mapping[str, Any]) -> str:
        made = ""
        try:
            for piece in template.generate(facts):
                made += piece
                if len(made) > limit:
                    break
        except (TemplateError, TypeError, ValueError, LookupError) as error:
            raise WordingError(f"{type(error).__name__}: {error}"[:WHY_LIMIT]) from None
        return made[:limit]

    return render


def _refused(tree: nodes.Template, known: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and reason of what no template may do."""
    left: list[tuple[nodes.Node, int, frozenset[str]]] = [(tree, 0, frozenset(known))]
    while left:
        node, depth, names = left.pop()
        if depth > DEPTH_LIMIT:
            yield node.lineno, "it is nested too deep"
            return
        if why := _why_not(node, names):
            yield node.lineno, why
        if isinstance(node, nodes.For):
            names |= {"loop", getattr(node.target, "name", "")}
        inner = [(child, depth + 1, names) for child in node.iter_child_nodes()]
        left += reversed(inner)


def _why_not(node: nodes.Node, names: frozenset[str]) -> str | None:
    if not isinstance(node, _ALLOWED):
        return f"a template may not have {_CALLED.get(type(node), type(node).__name__)}"
    if isinstance(node, nodes.For) and "loop" in names:
        return "a template may not have a loop in a loop"
    if isinstance(node, nodes.For) and (node.recursive or node.test):
        return "a loop is `for NAME in LIST`"
    if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in names:
        return f'unknown name "{node.name}"{did_you_mean(node.name, names)}'
    if isinstance(node, nodes.Filter | nodes.Test):
        table: Mapping[str, object] = _FILTERS if isinstance(node, nodes.Filter) else _TESTS
        if node.name not in table:
            return f'unknown filter or test "{node.name}"{did_you_mean(node.name, table)}'
        if node.kwargs or not all(isinstance(one, nodes.Const) for one in node.args or ()):
            return f"what `{node.name}` is given is written out"
    return None


def _cut(made: Callable[..., Any]) -> Callable[..., Any]:
    def cut(*given: Any) -> Any:
        value = made(*given)
        return value[:VALUE_LIMIT] if isinstance(value, str) else value

    return cut


def _environment() -> SandboxedEnvironment:
    environment = _PlainData(
        autoescape=False,
        finalize=_text,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=0,
    )
    environment.globals = {}
    environment.filters = {name: _cut(one) for name, one in _FILTERS.items()}
    environment.tests = dict(_TESTS)
    return environment


_ENVIRONMENT = _environment()
