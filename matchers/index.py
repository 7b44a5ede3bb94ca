"""Which rules own a path, the last one first, at a cost that hardly grows with the rules.

A trie over path segments, walked at all nodes at once where a pattern is still possible: literal
segments in dictionaries, globs in a GlobSet, `**` as a node that stays. What holds of a directory
is remembered for everything in it. No recursion, no backtracking; the memos are bounded.
"""

import re
from collections.abc import Callable, Iterable
from functools import reduce

from matchers.globs import GlobSet, compile_runs
from matchers.patterns import ANY_DIRECTORIES, Pattern, Segment, parse_pattern

PATHS_LIMIT = 32_768  # paths that are remembered
PATH_SIZE = 1024  # of a path in characters, and of its rules; what is larger is not remembered
FOLDERS_ROOM = 32 * 2**20  # bytes, about, of folders that are remembered
FOLDER_SIZE, RULE_SIZE = 600, 48  # of each, and of each rule that owns it
DEEP = 1024  # characters; a longer folder is walked anew each time
_ESCAPED = re.compile(r"\\([^#])")
_GLOB = re.compile(r"[*?]")


class _Node:
    """Where a pattern is after some segments of a path."""

    __slots__ = ("below", "deep", "globs", "leaf", "literal", "star", "stays", "tree")

    def __init__(self, *, stays: bool = False) -> None:
        self.literal: dict[str, _Node] = {}
        self.star: _Node | None = None  # `*`: any one segment
        self.globs: GlobSet[_Node] | None = None
        self.deep: _Node | None = None  # `**`: entered with this node, and it stays
        self.stays = stays
        # numbers of the rules whose pattern ends here, by its reach
        self.tree: list[int] = []
        self.below: list[int] = []
        self.leaf: list[int] = []


class _Folder:
    """What is possible after a folder, and what a file in it meets."""

    __slots__ = ("globs", "literals", "owned", "ranked", "state")

    def __init__(self, state: tuple[_Node, ...], owned: frozenset[int]) -> None:
        self.state = state
        self.owned = owned  # by rules that own the folder, and so everything in it
        self.ranked: tuple[int, ...] | None = None  # not prepared: most folders hold no file asked

    def prepare(self) -> tuple[int, ...]:
        met = set(self.owned)
        for node in self.state:
            if node.star is not None:
                met.update(node.star.tree, node.star.leaf)
        self.literals = [node.literal for node in self.state if node.literal]
        self.globs = [node.globs for node in self.state if node.globs is not None]
        self.ranked = tuple(sorted(met, reverse=True))  # what any file in it meets, `*` included
        return self.ranked

    def file(self, name: str) -> tuple[int, ...]:
        """The numbers of all rules that own the file, the highest first."""
        ranked = self.prepare() if self.ranked is None else self.ranked
        met = [literal[name] for literal in self.literals if name in literal]
        for globs in self.globs:
            met += globs.search(name)
        if not met:
            return ranked if name else tuple(sorted(self.owned, reverse=True))
        numbers = set(ranked if name else self.owned)
        for node in met:
            numbers.update(node.tree, node.leaf)
        return tuple(sorted(numbers, reverse=True))


class PathIndex:
    def __init__(
        self,
        patterns: Iterable[tuple[str, int]],
        parse: Callable[[str], Pattern] = parse_pattern,
    ) -> None:
        """Pairs of a CODEOWNERS pattern and its rule's number. Raises PatternError."""
        self._globs: dict[tuple[int, Segment], _Node] = {}
        self._globbed: list[GlobSet[_Node]] = []
        root = _Node()
        for text, number in patterns:
            self._add(root, parse(text), number)
        for those in self._globbed:
            those.search("")  # files the globs now, not in somebody's first look-up
        del self._globs, self._globbed
        self._root = _Folder((root, root.deep) if root.deep else (root,), frozenset(root.below))
        self._folders: dict[str, _Folder] = {}
        self._room = FOLDERS_ROOM
        self._paths: dict[str, tuple[int, ...]] = {}

    def matches(self, path: str) -> tuple[int, ...]:
        """The numbers of all rules that own the path, the highest first."""
        found = self._paths.get(path)
        if found is None:
            folder, slash, name = path.rpartition("/")
            known = self._folders.get(folder) or self._folder(folder) if slash else self._root
            found = known.file(name) if path else ()
            if len(path) + 8 * len(found) <= PATH_SIZE:
                if len(self._paths) >= PATHS_LIMIT:
                    self._paths.clear()
                self._paths[path] = found
        return found

    def forget(self) -> None:
        """Empty the memos: the next look-up costs what a first one does."""
        self._folders.clear()
        self._paths.clear()

    def _folder(self, folder: str) -> _Folder:
        """As deep as it is known, then down segment by segment, remembering each."""
        if len(folder) > DEEP:
            return reduce(_enter, folder.split("/"), self._root)
        new: list[tuple[str, str]] = []
        known: _Folder | None = None
        while known is None:
            parent, slash, segment = folder.rpartition("/")
            new.append((folder, segment))
            known = self._folders.get(folder := parent) if slash else self._root
        for path, segment in reversed(new):
            known = _enter(known, segment)
            self._room -= FOLDER_SIZE + len(path) + RULE_SIZE * len(known.owned)
            if self._room < 0:
                self._folders.clear()
                self._room = FOLDERS_ROOM
            self._folders[path] = known
        return known

    def _add(self, node: _Node, pattern: Pattern, number: int) -> None:
        for segment in pattern.segments:
            node = self._child(node, segment)
        getattr(node, pattern.reach).append(number)

    def _child(self, node: _Node, segment: Segment) -> _Node:
        if segment == ANY_DIRECTORIES:
            if node.stays:
                return node
            node.deep = node.deep or _Node(stays=True)
            return node.deep
        if segment == "*":
            node.star = node.star or _Node()
            return node.star
        if isinstance(segment, re.Pattern) or _GLOB.search(_ESCAPED.sub("", segment)):
            return self._glob(node, segment)
        plain = _ESCAPED.sub(r"\1", segment) if "\\" in segment else segment
        known = node.literal.get(plain)
        if known is None:
            known = node.literal[plain] = _Node()
        return known

    def _glob(self, node: _Node, segment: Segment) -> _Node:
        known = self._globs.get((id(node), segment))
        if known is None:
            known = self._globs[id(node), segment] = _Node()
            if node.globs is None:
                node.globs = GlobSet()
                self._globbed.append(node.globs)
            if isinstance(segment, re.Pattern):
                node.globs.add_fitting(_fits(segment), known)
            elif "\\" in segment:
                node.globs.add_fitting(_fits(_escaped_glob(segment)), known)
            else:
                node.globs.add(segment, known)
        return known


def _enter(folder: _Folder, segment: str) -> _Folder:
    reached: dict[_Node, None] = {}
    owned = folder.owned
    for node in folder.state:
        if node.stays:
            reached[node] = None
        children = [node.literal[segment]] if segment in node.literal else []
        if node.star is not None and segment:
            children.append(node.star)
        if node.globs is not None:
            children += node.globs.search(segment)
        for child in children:
            reached[child] = None
            if child.deep is not None:
                reached[child.deep] = None
            if not owned.issuperset(found := child.tree + child.below):
                owned = owned.union(found)
    state = tuple(reached)
    return folder if state == folder.state and owned is folder.owned else _Folder(state, owned)


def _fits(regex: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: regex.fullmatch(text) is not None


def _escaped_glob(segment: str) -> re.Pattern[str]:
    """A segment with globs and with escaped characters, which stand for themselves."""
    runs = [""]
    for said in re.findall(r"\\[^#]|.", segment, re.DOTALL):
        if said == "*":
            runs.append("")
        else:
            runs[-1] += "." if said == "?" else re.escape(_ESCAPED.sub(r"\1", said))
    return compile_runs(runs)
