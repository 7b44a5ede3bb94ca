"""The suffix rule, against the sentence it is: and in a repository where all is called the same."""

import time

from hypothesis import given
from hypothesis import strategies as st

from matchers.files import Fit, RepositoryFiles

PATHS = st.lists(st.sampled_from(["a", "b", "c", "ab"]), min_size=1, max_size=4).map("/".join)


@given(st.lists(PATHS, max_size=8), PATHS)
def test_the_longest_suffix_that_fits_exactly_one_file(paths: list[str], candidate: str) -> None:
    assert RepositoryFiles(paths).fit(candidate) == obvious(set(paths), candidate)


def obvious(paths: set[str], candidate: str) -> Fit:
    if candidate in paths:
        return Fit(candidate)
    segments = candidate.split("/")
    for start in range(len(segments) - 1):
        suffix = "/".join(segments[start:])
        fit = [path for path in paths if f"/{path}".endswith(f"/{suffix}")]
        if fit:
            return Fit(fit[0]) if len(fit) == 1 else Fit(None, ambiguous=True)
    return Fit(None)


def test_a_name_that_every_package_has_costs_no_more() -> None:
    files = RepositoryFiles(f"packages/p{number}/src/index.ts" for number in range(20_000))
    started = time.process_time()
    for number in range(1000):
        files.fit(f"srv/p{number}/x/src/index.ts")
    assert time.process_time() - started < 1
