"""Runs git on what operators and remotes say, so that nothing of it becomes a command.

Only https, ssh and files: `http` and `git` could be altered on their way, and the rules decide who
hears of errors; `ext` runs commands. Options and the URL go in by the environment, never as an
argument that git could take for an option. No error holds credentials.
Spec: https://git-scm.com/docs/git#_environment_variables
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from service.git import Runner

SECONDS = 60.0  # that one command may take, then all that it started is killed
_SKEW = 3600  # seconds that the clocks of two authors may differ
SCHEMES = ("https", "ssh", "file")
_OURS = {"GIT_ATTR_NOSYSTEM": "1", "GIT_CONFIG_NOSYSTEM": "1"}
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
        self._url = url
        self._runner = Runner(seconds, self._masked)
        self.closed = self._runner.closed
        self.close = self._runner.close

    def fetch(self, ref: str, into: str) -> None:
        """The newest commit of a remote's ref, alone. Raises GitError."""
        self._run(
            {},
            *("fetch", "--quiet", "--force", "--depth", "1", "--no-tags", "--no-write-fetch-head"),
            *("--end-of-options", "rules", f"+{ref}:{into}"),
            protocols=SCHEMES,
        )

    def follows(self, ref: str, before: str, after: str) -> bool:
        """Whether the one commit is in the history of the other, both being here.

        Of that history as much is fetched as is younger than both. Raises GitError.
        """
        dates = self.run("show", "-s", "--format=%ct", before, after).split()
        since = min(map(int, dates)) - _SKEW
        self._run(
            {},
            *("fetch", "--quiet", f"--shallow-since=@{since} +0000", "--no-tags"),
            *("--no-write-fetch-head", "--end-of-options", "rules", ref),
            protocols=SCHEMES,
        )
        return not self.run("rev-list", "-1", before, f"^{after}")

    def run(self, *arguments: str, environ: Mapping[str, str] | None = None) -> bytes:
        """What a command that needs no network answers. Raises GitError."""
        return self._run({**_LOCAL, **(environ or {})}, *arguments)

    def _run(
        self, environ: Mapping[str, str], *arguments: str, protocols: Sequence[str] = ()
    ) -> bytes:
        options = (f"--git-dir={self.folder}",)
        ours = {**self._environment(), **environ}
        return self._runner.run(options, arguments, ours, protocols=protocols)

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

    def _masked(self, complained: str) -> str:
        """git quotes the URL in what it says."""
        text = complained.replace(self._url, masked(self._url))
        return _URL.sub(lambda found: masked(found[0]), text)
