"""Runs git on what operators and remotes say, so that nothing of it becomes a command.

    GitError    git failed, was too slow, or is not installed; says why, without credentials

Only https, ssh and files (GIT_ALLOW_PROTOCOL beats every configuration): `http` and `git` could be
altered on their way, and the rules decide who hears of errors; `ext` runs commands. Options and
the URL go in by the environment, never as an argument that git could take for an option.
Spec: https://git-scm.com/docs/git#_environment_variables
"""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 60.0  # that one command may take, then all that it started is killed
SCHEMES = ("https", "ssh", "file")
_OURS = {
    "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES),
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "SSH_ASKPASS_REQUIRE": "never",
}
_CONFIG = {
    "core.hooksPath": os.devnull,
    "fetch.recurseSubmodules": "false",
    "gc.autoDetach": "false",
}
_KEPT = {"GIT_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_PROXY_SSL_CAINFO", "GIT_SSH", "GIT_SSH_COMMAND"}
_LOCAL = {"GIT_CONFIG_GLOBAL": os.devnull}  # filters are configured there: they are commands
_WORD = re.compile(r"[^\x00-\x20\x7f]+")
_REF = re.compile(r"(?![-+/])(?!.*(?:\.\.|@\{))[^\x00-\x20\x7f~^:?*\[\\]+")
_HELPER = re.compile(r"[^/:]*::")
_URL = re.compile(r"\w+://[^\s']+")


class GitError(Exception):
    pass


def refused_url(url: str) -> str | None:
    """Why git is not given this URL or path; None: it may be."""
    if url.startswith("-") or "--upload-pack=" in url:
        return "it holds an option of git"
    if not _WORD.fullmatch(url):
        return "it holds spaces or control characters"
    if _HELPER.match(url):
        return "`helper::` is not supported; https, ssh and paths are"
    scheme, separator, _ = url.partition("://")
    if separator and scheme not in SCHEMES:
        return "https://, ssh://, file://, user@host:path and paths are supported"
    host = urlsplit(url).hostname if separator else url.partition(":")[0].rpartition("@")[2]
    return "its host begins with a dash" if host and host.startswith("-") else None


def refused_ref(ref: str) -> str | None:
    """Why git is not given this ref; None: it may be."""
    if ref.startswith("-") or "--upload-pack=" in ref:
        return "it holds an option of git"
    return None if _REF.fullmatch(ref) else "it is no name of a branch or tag"


def masked(url: str) -> str:
    """Without credentials: user, password and query go."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    rest = rest.partition("?")[0].partition("#")[0]
    return f"{scheme}://{rest.rpartition('@')[2]}"


class Git:
    """One bare repository. One command at a time, which `close` ends."""

    def __init__(self, folder: Path, url: str, *, seconds: float = SECONDS) -> None:
        self.folder = folder
        self._seconds = seconds
        self._url = url
        self._running: subprocess.Popen[bytes] | None = None
        self.closed = threading.Event()

    def fetch(self, ref: str, into: str) -> None:
        """The newest commit of a remote's ref, alone. Raises GitError."""
        self._run(
            {},
            *("fetch", "--quiet", "--force", "--depth", "1", "--no-tags", "--no-write-fetch-head"),
            *("--end-of-options", "rules", f"+{ref}:{into}"),
        )

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> bytes:
        """What a command that needs no network answers. Raises GitError."""
        return self._run({**_LOCAL, **(environ or {})}, *arguments)

    def close(self) -> None:
        self.closed.set()
        if (running := self._running) is not None:
            _kill(running)

    def _run(self, environ: Mapping[str, str], *arguments: str) -> bytes:
        if self.closed.is_set():
            raise GitError("the service stops")
        try:
            running = self._running = subprocess.Popen(  # noqa: S603 see above
                ["git", f"--git-dir={self.folder}", *arguments],  # noqa: S607 the user's own git
                env={**self._environment(), **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # no terminal to ask on; one group to kill
            )
        except OSError as error:
            raise GitError(f"git cannot be started: {error.strerror}") from None
        if self.closed.is_set():  # meanwhile: `close` may not have seen it
            _kill(running)
        with running:
            said, complained = self._outcome(running, arguments[0])
        if running.returncode:
            raise GitError(self._words(complained, arguments[0]))
        return said

    def _outcome(self, running: subprocess.Popen[bytes], word: str) -> tuple[bytes, bytes]:
        try:
            return running.communicate(timeout=self._seconds)
        except subprocess.TimeoutExpired:
            _kill(running)
            running.communicate()
            raise GitError(f"git {word} took longer than {self._seconds:g} s") from None

    def _environment(self) -> dict[str, str]:
        """Ours, and of the process's own what reaches the remote: git's other variables mislead."""
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GIT_") or name in _KEPT or name.startswith("GIT_SSL_")
        }
        config = {**_CONFIG, "remote.rules.url": self._url}
        for index, (key, value) in enumerate(config.items()):
            environ[f"GIT_CONFIG_KEY_{index}"] = key
            environ[f"GIT_CONFIG_VALUE_{index}"] = value
        return {**environ, **_OURS, "GIT_CONFIG_COUNT": str(len(config))}

    def _words(self, complained: bytes, word: str) -> str:
        """The first complaint; git would quote the URL in it."""
        text = complained.decode(errors="replace").replace(self._url, masked(self._url))
        text = _URL.sub(lambda found: masked(found[0]), text)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
        return (fatal or lines or [f"git {word} failed"])[0][:300]


def _kill(running: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(running.pid, signal.SIGKILL)
