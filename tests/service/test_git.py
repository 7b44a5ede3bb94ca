"""git as we run it: it asks nobody, reaches nothing it was not allowed to, and ends in time."""

import os
import threading
import time
from pathlib import Path

import pytest

from service.git import GitError, GitRefusedError, Runner, git
from tests.running import wait_for

MADE = ("init", "--quiet", "--template=", "--")


def here(*words: str, seconds: float = 10, protocols: tuple[str, ...] = ()) -> bytes:
    return Runner(seconds).run((), words, dict(os.environ), protocols=protocols)


@pytest.fixture
def remote(tmp_path: Path) -> str:
    here(*MADE, str(tmp_path / "remote"))
    return f"file://{tmp_path}/remote"


def test_only_an_allowed_protocol_is_spoken(remote: str) -> None:
    assert here("ls-remote", remote, protocols=("https", "file")) == b""
    with pytest.raises(GitRefusedError, match="transport 'file' not allowed"):
        here("ls-remote", remote, protocols=("https", "ssh"))


def test_a_repository_that_is_there_reaches_no_other_whatever_it_is_set_to(
    tmp_path: Path, remote: str
) -> None:
    here(*MADE, str(tmp_path / "a"))
    git(tmp_path / "a", "config", "protocol.file.allow", "always")
    with pytest.raises(GitRefusedError, match="transport 'file' not allowed"):
        git(tmp_path / "a", "fetch", "--", remote)


def test_a_setting_of_a_repository_that_is_there_runs_nothing(tmp_path: Path) -> None:
    here(*MADE, str(tmp_path))
    git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path}/made; false")
    git(tmp_path, "ls-files", "--others")
    git(tmp_path, "status")
    assert not (tmp_path / "made").exists()


def endless(pids: Path) -> tuple[str, str, str]:
    return ("-c", f"alias.endless=!echo $$ > {pids}; sleep 600 & wait", "endless")


def is_running(pids: Path) -> bool:
    try:
        os.killpg(os.getpgid(int(pids.read_text())), 0)
    except ProcessLookupError:
        return False
    return True


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    began = time.monotonic()
    *options, word = endless(pids)
    with pytest.raises(GitError, match=r"^git endless took longer than 0\.5 s$"):
        Runner(0.5).run(options, [word], dict(os.environ))
    assert time.monotonic() - began < 5
    wait_for(lambda: not is_running(pids), 5)


def test_close_ends_what_runs_and_nothing_is_begun_any_more(tmp_path: Path) -> None:
    runner, pids = Runner(60), tmp_path / "pids"
    *options, word = endless(pids)
    closing = threading.Thread(
        target=lambda: (wait_for(lambda: pids.exists() and pids.read_text(), 10), runner.close())
    )
    closing.start()
    with pytest.raises(GitRefusedError, match=r"^git endless failed$"):
        runner.run(options, [word], dict(os.environ))
    closing.join()
    wait_for(lambda: not is_running(pids), 5)
    with pytest.raises(GitError, match="the service stops"):
        runner.run((), ["version"], dict(os.environ))


def test_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    """There is no terminal, and git is told so; an askpass of the user's own is still heard."""
    shown = here("-c", "alias.x=!echo $GIT_TERMINAL_PROMPT $SSH_ASKPASS_REQUIRE; tty; :", "x")
    assert shown.decode().split("\n")[:2] == ["0 never", "not a tty"]


def test_a_complaint_is_its_fatal_line_without_what_nobody_may_see() -> None:
    runner = Runner(10, lambda said: said.replace("secret", "***"))
    with pytest.raises(GitRefusedError, match=r"^bad revision '\*\*\*'$"):
        runner.run((), ["rev-parse", "secret", "--"], dict(os.environ))


@pytest.mark.parametrize(("word", "said"), [("a\0b", "null byte"), ("no-such-word", "not a git")])
def test_what_git_cannot_be_asked_is_refused(word: str, said: str) -> None:
    with pytest.raises(GitRefusedError, match=said):
        here(word)


def test_a_machine_without_git_says_so() -> None:
    with pytest.raises(GitRefusedError, match="git cannot be run: No such file"):
        Runner(10).run((), ["version"], {"PATH": "/none"})
