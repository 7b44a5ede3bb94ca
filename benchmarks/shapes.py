"""Rules and paths of the shapes that real CODEOWNERS files have, and a mix that is heavy in globs.

Made from a seed: every run asks the same. Shares as counted in public CODEOWNERS files: most rules
are anchored directories, then files, then globs of a directory, names anywhere, extensions.
"""

import random
from collections.abc import Iterator

_WORDS = (
    "app lib core billing search web api models views utils tests services jobs infra data auth",
    "payments cart shipping mail admin reports static migrations clients workers events cache",
)
_NAMES = " ".join(_WORDS).split()
_EXTENSIONS = ("py", "rb", "ts", "go", "java", "sql", "md", "yml")


class Shapes:
    def __init__(self, rules: int, *, globs: bool = False, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self.folders = list(dict.fromkeys(self._folder() for _ in range(max(60, rules // 3))))
        make = self._glob_rule if globs else self._rule
        self.patterns = [make(number) for number in range(rules)]

    def paths(self, count: int, *, of_folders: int | None = None) -> Iterator[str]:
        """Files below the folders that the rules speak of; each name is new."""
        folders = self.folders[:of_folders]
        for _ in range(count):
            below = self._random.choice(("", "", "impl/", "v2/detail/"))
            name = f"{self._random.choice(_NAMES)}_{self._random.getrandbits(40):x}"
            extension = self._random.choice(_EXTENSIONS)
            yield f"{self._random.choice(folders)}/{below}{name}.{extension}"

    def _folder(self) -> str:
        return "/".join(self._name() for _ in range(self._random.randint(2, 6)))

    def _name(self) -> str:
        number = self._random.randint(0, 60)
        return self._random.choice(_NAMES) + (str(number) if number > 20 else "")

    def _rule(self, number: int) -> str:
        folder, share = self._random.choice(self.folders), self._random.random()
        if share < 0.60:
            return f"/{folder}/"
        if share < 0.75:
            return f"/{folder}/{self._name()}.{self._random.choice(_EXTENSIONS)}"
        if share < 0.85:
            return f"/{folder}/*.{self._random.choice(_EXTENSIONS)}"
        if share < 0.90:
            return f"{self._name()}{number}/"
        if share < 0.95:
            return f"*.ext{number % 200}"
        return f"/{folder}/**/{self._name()}"

    def _glob_rule(self, number: int) -> str:
        folder = self._random.choice(self.folders)
        top = folder.split("/")[0]
        return (
            f"/{folder}/*{number}*.py",
            f"**/{number}_*.py",
            f"*_{number}.py",
            f"/{folder}/**/*{number % 97}*/",
            f"/{top}/*/{self._name()}*/",
            f"*{number}x*y",
        )[number % 6]
