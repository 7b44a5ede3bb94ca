"""Runs plain git: no shell, nothing to ask on, no protocol but those allowed, for so long at most.

    GitError             it took too long, or was ended
    └── GitRefusedError  git is not there, or says no; holds what it said

Everything of ours that runs git runs it here: on a repository that is there by `git`, on what
operators and remotes say by service/rules_git.py. Callers keep foreign text from git's options.
Spec: https://git-scm.com/docs/git#_environment_variables
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

GIT_SECONDS = 30.0
_LINE_LIMIT = 300  # characters of a complaint
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
# What a hook's environment says of the repository it runs for, not of the one that is asked.
_ANOTHER = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}


class GitError(Exception):
    pass


class GitRefusedError(GitError):
    pass


def git(repository: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What it printed, of a repository that is there: a partial clone fetches nothing, a checkout's
    own settings run nothing. A foreign argument must stand behind `--end-of-options` or `--`.
    """
    environ = {name: value for name, value in os.environ.items() if name not in _ANOTHER}
    environ["GIT_NO_LAZY_FETCH"] = "1"
    options = ("-C", str(repository), "-c", "core.fsmonitor=false")
    return Runner(GIT_SECONDS).run(options, arguments, environ, stdin=stdin)


class Runner:
    """One command at a time, which `close` ends with all that it started."""

    def __init__(self, seconds: float, shown: Callable[[str], str] = str) -> None:
        """shown: a complaint of git's, without what nobody may see."""
        self._seconds = seconds
        self._shown = shown
        self._running: subprocess.Popen[bytes] | None = None
        self.closed = threading.Event()

    def run(
        self,
        options: Sequence[str],
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        protocols: Sequence[str] = (),
        stdin: bytes = b"",
    ) -> bytes:
        """What it printed. options: of git itself, before its word. Raises GitError.

        protocols: GIT_ALLOW_PROTOCOL beats every configuration.
        """
        if self.closed.is_set():
            raise GitError("the service stops")
        ours = {**environ, **_QUIET, "GIT_ALLOW_PROTOCOL": ":".join(protocols)}
        running = self._running = _start(["git", *options, *arguments], ours)
        if self.closed.is_set():  # meanwhile: `close` may not have seen it
            _kill(running)
        with running:
            said, complained = self._outcome(running, stdin, arguments[0])
        if running.returncode:
            raise GitRefusedError(self._complaint(complained, arguments[0]))
        return said

    def close(self) -> None:
        self.closed.set()
        if (running := self._running) is not None:
            _kill(running)

    def _outcome(
        self, running: subprocess.Popen[bytes], stdin: bytes, word: str
    ) -> tuple[bytes, bytes]:
        try:
            return running.communicate(stdin, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            raise GitError(f"git {word} took longer than {self._seconds:g} s") from None
        finally:
            if running.returncode is None:  # too slow, or somebody interrupts us
                _kill(running)
                running.communicate()

    def _complaint(self, complained: bytes, word: str) -> str:
        text = self._shown(complained.decode(errors="replace"))
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
        said = (fatal or lines or [f"git {word} failed"])[0]
        return said.removeprefix("fatal: ")[:_LINE_LIMIT]


def _start(command: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 see above
            command,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no terminal to ask on; one group to kill
        )
    except OSError as error:
        raise GitRefusedError(f"git cannot be run: {error.strerror}") from None
    except ValueError:  # a null byte
        raise GitRefusedError("no argument of git holds a null byte") from None


def _kill(running: subprocess.Popen[bytes]) -> None:
    if running.returncode is None:  # else its number may be another's by now
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(running.pid, signal.SIGKILL)
