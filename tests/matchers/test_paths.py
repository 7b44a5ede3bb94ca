"""What the conformance cases leave open of paths: whose code it is, and odd spellings."""

import pytest

from matchers.event import Frame
from matchers.paths import SourceRoot, is_in_app, repository_path

OURS = [
    "internal/billing/tax.go",
    "internal/modules/user.go",
    "internal/tools/build.js",
    "/app/lib/ruby/parser.rb",
    "lib/python3_compat/x.py",
    "/app/vendor/acme/x.py",
]
NOT_OURS = [
    "node:internal/process/task_queues",
    "internal/modules/cjs/loader.js",
    "internal/timers.js",
    "/usr/lib/ruby/3.2.0/net/http.rb",
    "/usr/lib/ruby/vendor_ruby/x.rb",
    "/usr/lib/python3.11/json/decoder.py",
    "/home/dev/.cache/pypoetry/virtualenvs/a/lib/python3.11/site-packages/x.py",
    r"C:\Python311\Lib\json\decoder.py",
    "/home/dev/.cargo/registry/src/index/serde-1.0/src/lib.rs",
    "/usr/local/go/src/runtime/panic.go",
    ".yarn/cache/x.zip/node_modules/x/y.js",
    "/app/vendor/bundle/ruby/3.2.0/x.rb",
]
SPELT = [
    ("webpack:///./src/App.vue?a1b2&type=script", None, "src/App.vue"),
    ("app:///dist/main.js?v=3", None, "dist/main.js"),
    ("file:///app/src/a.mjs?t=123", "/app/", "src/a.mjs"),
    ("file:///C:/build/src/a.mjs", "C:/build/", "src/a.mjs"),
    ("file:///C:/build/src/a.mjs", None, "build/src/a.mjs"),
    (r"C:\build\app\x.cs", "C:\\build\\", "app/x.cs"),
    ("/application/x.py", "/app", "application/x.py"),
    ("/app/x.py", "/app", "x.py"),
]


@pytest.mark.parametrize("path", OURS)
def test_a_directory_of_our_own_is_not_taken_for_a_package(path: str) -> None:
    assert is_in_app(Frame(abs_path=path))


@pytest.mark.parametrize("path", NOT_OURS)
def test_packages_and_runtimes_are_not_our_own_code(path: str) -> None:
    assert not is_in_app(Frame(abs_path=path))


@pytest.mark.parametrize(("named", "root", "path"), SPELT)
def test_a_path_is_found_however_it_is_spelt(named: str, root: str | None, path: str) -> None:
    roots = [SourceRoot(root)] if root else []
    assert repository_path(Frame(abs_path=named), roots=roots).path == path


def test_an_inner_class_without_a_file_stands_for_its_outer_one() -> None:
    assert repository_path(Frame(module="com.acme.Tax$Rate"), "java").path == "com/acme/Tax"
