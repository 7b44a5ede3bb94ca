"""What of a message, a name and a file stays the same from one occurrence of an error to the next.

Each recipe of matchers/fingerprint.py has its own functions here, and they never change: a better
one belongs to a new recipe. Cases: tests/data/grouping.yaml.
"""

import re
from functools import lru_cache

_MESSAGE_LIMIT = 1000  # characters that are looked at
_PATH_LIMIT = 500  # characters of a path, from its end
# Of each and of files: a service's errors and files are few, and come again and again.
_REMEMBERED, _FILES = 2048, 16_384

_VARIABLE_V1 = re.compile(
    r"""
    "[^"\n]{0,200}" | '[^'\n]{0,200}' | `[^`\n]{0,200}`                     # quoted
    | \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b      # uuid
    | \b0x[0-9a-f]+\b | \b(?=[a-f]*[0-9])[0-9a-f]{8,}\b                      # hex
    | [0-9]+(?:[.:,/T-][0-9]+)*                                              # numbers, dates, times
    """,
    re.VERBOSE | re.IGNORECASE,
)


def message_v1(message: str) -> str:
    return _message_v1(message[:_MESSAGE_LIMIT])


def file_v1(path: str) -> str:
    return _file_v1("/".join(path.replace("\\", "/").split("/")[-3:])[:_MESSAGE_LIMIT])


@lru_cache(maxsize=_REMEMBERED)
def _message_v1(message: str) -> str:
    return " ".join(_VARIABLE_V1.sub("*", message).split())


_file_v1 = lru_cache(maxsize=_FILES)(_message_v1.__wrapped__)


# Ends of words, where `_` ends one too: `user_5`.
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_UNIT = (
    r"(?:[nuµm]?s|sec(?:ond)?s?|m|min(?:ute)?s?|h|h(?:ou)?rs?|d|days?"  # of time
    r"|[kmgt]i?b?|b|bytes?|st|nd|rd|th|am|pm)"
)
_WORDS = rf"""
    {_START}(?=[a-f]*[0-9])[0-9a-f]{{7,}}{_END}                         # a hex number, a commit
    | {_START}[a-z]*[0-9]+[a-z]+[0-9][a-z0-9]*{_END}                    # an id: 3MtwBwLkd
    | [0-9]+(?:[.:,/-][0-9]+{_END})*                                    # a number, or several
"""
_VARIABLE = re.compile(
    rf"""
    "[^"\n]*" | “[^”\n]*” | «[^»\n]*» | `[^`'\n]*['`]                 # quoted; the last is Ruby's
    | (?<!\w)[bru]?'(?>(?:[^'\n]|(?<=\w)'(?=\w))*)'                    # quoted, but no can't
    | (?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+                          # an e-mail address
    | (?<=\w)@[0-9a-f]{{1,8}}{_END}                                     # a JVM object's hash
    | (?:(?:/private)?(?:/var)?/tmp|/var/folders|\\Temp\b)[/\\][^\s"'),;:]+   # a temporary path
    | (?<=[\w/])\?[^\s"'<>?=]*=[^\s"'<>]*                               # a URL's query
    | (?<==)\([^()\n]*\)                                                # Key (email)=(…)
    | \b[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}\b    # a uuid
    | \b0x[0-9a-f]+\b
    | \b(?:{_DAY},?\ +)?(?:[0-9]{{1,2}}\ +{_MONTH}|{_MONTH}\ +[0-9]{{1,2}})\b
    | \b[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}
      (?:[T\ ][0-9]{{2}}:[0-9:.,]+)?(?:Z|[-+][0-9]{{2}}:?[0-9]{{2}})?\b
    | (?<![\w:])(?=[0-9a-f]*:[0-9a-f]*:)[0-9a-f:]{{2,39}}(?![\w:])      # a time, an IPv6 address
    | -[0-9a-z]{{8,10}}-[b-df-hj-np-tv-xz2456789]{{5}}(?![\w-])         # a pod of Kubernetes
    | (?:(?<!\w)[-+])?(?:
        {_START}(?>(?>[0-9]+(?:[.,][0-9]+)*\ ?{_UNIT}(?=[0-9]|{_END}))+){_END}   # 1m30.5s, 3rd
        | [0-9]+(?:\.[0-9]+)?e[-+]?[0-9]+{_END}
        | {_WORDS}
      )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SEVERAL = re.compile(r"\*(?: ?[,;:=] ?\*)+")  # a list of one is as one of many
_PLURAL = re.compile(r"(?<=\* )([a-z-]+)s\b")
_HOST_OR_QUERY = re.compile(r"\A[a-z][a-z0-9+.-]*://[^/]*/|[?#].*", re.IGNORECASE | re.DOTALL)
_RELEASE = re.compile(r"(?<![^/])(releases|tmp|temp)/[^/]+(?=/)", re.IGNORECASE)
_IN_A_PATH = re.compile(
    rf"(?<=[-.])(?=[\w-]*[A-Z0-9])[\w-]{{8}}(?=\.[cm]?js\Z) | (?i:{_WORDS})",  # Vite's hash
    re.VERBOSE,
)
_GENERATED = re.compile(
    r"""
    (?<=\$\$Lambda)[\w$/]+ | (?<=CGLIB\$\$)\w+ | (?<=\$HibernateProxy\$)\w+ | (?<=\$ByteBuddy\$)\w+
    | (?<=\$Proxy)[0-9]+ | (?<=\$)[0-9]+(?![a-zA-Z])                # the JVM's
    | (?<=\.func)[0-9]+(?:\.[0-9]+)* | (?<=\.gowrap)[0-9]+ | (?<=\.deferwrap)[0-9]+    # Go's
    | ::h[0-9a-f]{16}\Z                                             # Rust's
    | (?<=__)[0-9]+(?:_[0-9]+)* | (?<=DisplayClass)[0-9]+_[0-9]+ | (?<=\|)[0-9]+_[0-9]+    # .NET's
    | (?<=\{closure):[^}]*(?=\}) | (?<=@anonymous).+                # PHP's
    | \Aasync\ (?=.)                                                # Node's
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMELESS = frozenset({"?", "<anonymous>", "Object.<anonymous>", "anonymous", "<unknown>"})


def message_v2(message: str) -> str:
    return _message(message[:_MESSAGE_LIMIT])


@lru_cache(maxsize=_REMEMBERED)
def name_v2(name: str) -> str:
    """A function's or a module's, without what a compiler numbers."""
    return "" if name in _NAMELESS else _GENERATED.sub("", name)


def file_v2(path: str) -> str:
    """The file with the two directories above it, without hashes, versions and releases."""
    return _file(path[-_PATH_LIMIT:])


@lru_cache(maxsize=_REMEMBERED)
def _message(message: str) -> str:
    shape = " ".join(_VARIABLE.sub("*", message).split())
    return _PLURAL.sub(r"\1", _SEVERAL.sub("*", shape)) if "*" in shape else shape


@lru_cache(maxsize=_FILES)
def _file(path: str) -> str:
    path = _HOST_OR_QUERY.sub("", path.replace("\\", "/"))
    return _IN_A_PATH.sub("*", "/".join(_RELEASE.sub(r"\1/*", path).split("/")[-3:]))
