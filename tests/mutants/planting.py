"""A defect of mutants.toml: where it is planted, and whether the tests notice it."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Mutant(NamedTuple):
    """file: below src/dersim. find: a text that stands there exactly once. tests: below tests/."""

    file: str
    find: str
    replace: str
    tests: str

    @property
    def path(self):
        return Path("src/dersim") / self.file

    def planted(self, text):
        """The text of the file with the defect in it."""
        assert text.count(self.find) == 1, (
            f"{self.file}: {self.find!r} is there {text.count(self.find)} times"
        )
        return text.replace(self.find, self.replace)


MUTANTS = [
    Mutant(**entry)
    for entry in tomllib.loads((Path(__file__).parent / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
]


def noticed(mutant, folder):
    """Whether a test fails once the defect is planted in a copy of the sources in `folder`."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests", "certs", "docs", "pyproject.toml", "README.md", "CONTRIBUTING.md"):
        (folder / name).symlink_to(ROOT / name)
    target = folder / mutant.path
    target.write_text(mutant.planted(target.read_text(encoding="utf-8")), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    tests = [f"tests/{each}" for each in mutant.tests.split()]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 2):  # 2: the defect breaks the import of a test
        raise RuntimeError(f"{mutant.file}: pytest ended with {done.returncode}:\n{done.stdout[-2000:]}")
    shutil.rmtree(folder)
    return done.returncode != 0
