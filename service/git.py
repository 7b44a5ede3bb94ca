"""Plain git in a subprocess, of a repository that is there: no prompt, no network, no waiting.

GitError            it did not answer in time
└── GitRefusedError git is not there, or says no; holds what it said
"""

import os
import subprocess
from pathlib import Path

GIT_SECONDS = 30
# What a hook's environment says of the repository it runs for, not of the one that is asked.
_ANOTHER = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}
# A partial clone fetches nothing, a checkout's own settings run nothing.
_LOCAL = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false")
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


class GitError(Exception):
    pass


class GitRefusedError(GitError):
    pass


def git(repository: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What it printed. A foreign argument must stand behind `--end-of-options` or `--`."""
    environment = {name: value for name, value in os.environ.items() if name not in _ANOTHER}
    try:
        ran = subprocess.run(  # noqa: S603 no shell; callers keep what is foreign from the options
            ["git", "-C", str(repository), *_LOCAL, *arguments],  # noqa: S607
            input=stdin,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=False,
            env=environment | _QUIET,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git did not answer within {GIT_SECONDS} seconds") from None
    except OSError as error:
        raise GitRefusedError(f"git cannot be run: {error.strerror}") from None
    except ValueError:  # a null byte
        raise GitRefusedError("no argument of git holds a null byte") from None
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip().splitlines() or ["git failed"]
        raise GitRefusedError(said[0].removeprefix("fatal: "))
    return ran.stdout
