"""In which order the exceptions of an event are walked.

A chain is cut at each `__context__` link: that exception was only being handled when the next was
thrown. The piece that holds the thrown exception comes first, then outward; within a piece the
root cause first. Members of an exception group are causes of the group, in its own order.
Cases: conformance/events.yaml.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from matchers.event import ExceptionValue
from matchers.ruleset import ExceptionOrder


def walked_exceptions(
    exceptions: Sequence[ExceptionValue], order: ExceptionOrder = "root_cause_first"
) -> list[int]:
    """The indices, each once, whatever the parents are said to be (cycles, strangers, none)."""
    if len(exceptions) <= 1:
        return list(range(len(exceptions)))
    hanging = parents(exceptions)
    roots = [index for index, parent in enumerate(hanging) if parent is None]
    walked: dict[int, None] = {}
    pieces = deque(reversed(roots))
    children = _children(hanging, exceptions)
    while len(walked) < len(exceptions):
        # a cycle has no root: it is entered at its last member
        root = pieces.popleft() if pieces else _last_left(walked, len(exceptions))
        outward = [
            child
            for index in _piece(root, children, exceptions, walked, order)
            for child in children[index]
            if exceptions[child].source == "__context__"
        ]
        pieces.extendleft(reversed(outward))
    return list(walked)


def parents(exceptions: Sequence[ExceptionValue]) -> list[int | None]:
    """Each exception's parent: by ids where the sender gives them, else the one thrown after it."""
    if not any(error.parent_id is not None for error in exceptions):
        return [*range(1, len(exceptions)), None]
    places = {error.exception_id: index for index, error in enumerate(exceptions)}
    places.pop(None, None)
    return [
        None if error.parent_id is None else places.get(error.parent_id) for error in exceptions
    ]


def _children(
    hanging: Sequence[int | None], exceptions: Sequence[ExceptionValue]
) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in hanging]
    for index, parent in enumerate(hanging):
        if parent is not None and parent != index:
            children[parent].append(index)
    for those in children:
        those.sort(key=lambda index: exceptions[index].exception_id or 0)
    return children


def _piece(
    root: int,
    children: Sequence[Sequence[int]],
    exceptions: Sequence[ExceptionValue],
    walked: dict[int, None],
    order: ExceptionOrder,
) -> Iterator[int]:
    """What hangs on the root by causes, added to `walked` in the order asked for."""
    entered: set[int] = set(walked)
    waiting = [(root, False)]
    while waiting:
        index, its_causes_are_done = waiting.pop()
        if its_causes_are_done:
            walked[index] = None
            yield index
            continue
        if index in entered:
            continue
        entered.add(index)
        causes = [
            (child, False)
            for child in reversed(children[index])
            if exceptions[child].source != "__context__"
        ]
        if order == "thrown_first":
            walked[index] = None
            yield index
            waiting += causes
        else:
            waiting.append((index, True))
            waiting += causes


def _last_left(walked: dict[int, None], count: int) -> int:
    return next(index for index in range(count - 1, -1, -1) if index not in walked)
