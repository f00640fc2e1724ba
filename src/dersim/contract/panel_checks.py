"""Panels, as far as they can be checked without a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from dersim.contract.subject import Check, Subject
from dersim.outcomes import Failed
from dersim.plugin.panel import Panel

_MOUNT = re.compile(r"^export (async )?(function|const|let) mount\b|^export \{[^}]*\bmount\b", re.MULTILINE)
_IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"']+)\1""")
_ADDRESS = re.compile(r"""["'`](?:(?:https?|wss?):)?//[\w.\[]""")
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*?$", re.MULTILINE | re.DOTALL)
_HELPERS = "/static/js/"


def checks(subject: Subject) -> Iterator[Check]:
    """Two checks of each panel."""
    for panel in subject.own(subject.registry.panels):
        yield Check(f"panel {panel.name}: module", lambda panel=panel: _module(panel))  # type: ignore[misc]  # a bound default
        yield Check(f"panel {panel.name}: addresses", lambda panel=panel: _addresses(panel))  # type: ignore[misc]  # a bound default


def _code(panel: Panel) -> str:
    return _COMMENT.sub("", Path(panel.module_path).read_text(encoding="utf-8"))


def _module(panel: Panel) -> str:
    """An ES module that exports mount."""
    if not _MOUNT.search(_code(panel)):
        raise Failed(f"{panel.module_path} exports no mount; write: export function mount(root, context)")
    node = shutil.which("node")
    if node is None:
        return "exports mount; not parsed: there is no node on the PATH"
    text = Path(panel.module_path).read_bytes()
    command = [node, "--input-type=module", "--check"]
    done = subprocess.run(command, input=text, capture_output=True, timeout=20, check=False)  # noqa: S603 - node, found on the PATH
    if done.returncode:
        lines = done.stderr.decode(errors="replace").split("\n")
        error = next((line for line in lines if "Error:" in line), lines[0])
        raise Failed(f"{panel.module_path}:{lines[0].rpartition(':')[2]}: {error}")
    return "parsed; exports mount"


def _addresses(panel: Panel) -> str:
    """Only this server's, and only helpers that are there."""
    code = _code(panel)
    if found := _ADDRESS.search(code):
        line = code[found.start() :].partition("\n")[0][:60]
        raise Failed(f"{panel.module_path}: {line} is another server's, which the page forbids")
    imports = [path for _, path in _IMPORT.findall(code)]
    for path in imports:
        if not path.startswith(("/", "./", "../")):
            raise Failed(f"{panel.module_path}: imports {path!r}; give a path from /, as {_HELPERS}dom.js")
        helper = path.removeprefix(_HELPERS)
        if path != helper and not (files("dersim.pages") / "static" / "js" / helper).is_file():
            raise Failed(f"{panel.module_path}: there is no {path}; see docs/plugins.md for those that are")
    return f"imports {len(imports)} modules of this server" if imports else "imports nothing"
