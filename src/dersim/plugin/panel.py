"""Pages that plug-ins add to the web sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Panel:
    """A page of the dashboard: a title and the path of a static ES module.

    folder: of more modules, style sheets and images, served below /panels/NAME/.
    """

    name: str
    title: str
    module_path: str
    doc: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    folder: str | None = None
