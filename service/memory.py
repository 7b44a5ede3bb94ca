"""Memory that was freed goes back to the system.

glibc learns from the first large block that is freed to keep such blocks, and from each thread's
own arena little comes back; a service that once met four bodies of 20 MiB would stay that large.
See https://man7.org/linux/man-pages/man3/mallopt.3.html
"""

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE = 256 * 1024  # bytes; a block past it is the system's own mapping, and goes back whole
_ARENAS = 2
_NEW_OBJECTS = 10_000  # that outlived their makers, until the collector looks at them


def give_memory_back() -> None:
    """Does nothing where the C library is another."""
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_ARENA_MAX, _ARENAS)


def trim() -> None:
    """What lies free between blocks in use, too; some milliseconds, so beside large bodies only."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def collect_seldom() -> None:
    """An event makes thousands of objects and hardly a cycle: by default the collector would look
    some ten times for each hundred events, and find nothing.
    """
    gc.set_threshold(_NEW_OBJECTS, 20, 100)


@contextmanager
def uncollected() -> Iterator[None]:
    """For what builds much that stays: the collector would look through all of it again and again,
    which is half of what reading 10,000 rules costs. Not for two threads at once.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
