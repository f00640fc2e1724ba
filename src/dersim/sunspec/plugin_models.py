"""Models of plug-ins (`register_sunspec_models`): registers that keep what is written to them.

Points begin with the ``value`` of their definition; RW points keep what a client writes. Repeating groups
appear as often as their count point's value says, or once if it gives none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.setpoints import SetpointSource
from dersim.sunspec.block import Model, Values
from dersim.sunspec.definitions import lay_out
from dersim.sunspec.view import View


class PluginModel(Model):
    """One such model."""

    def __init__(self, view: View, model: Mapping[str, Any]) -> None:
        self.view = view
        self._model = model
        self.model_id = int(model["id"])
        given = {p["name"]: p["value"] for p in model["group"]["points"] if "value" in p}
        self.counts = {k: int(v) for k, v in given.items() if k not in ("ID", "L") and _whole(v)}
        points = lay_out(model, self.counts).points
        self.scales = {p.path: self.counts[p.path] for p in points if p.kind == "sunssf" and p.path in given}
        self._writable = {p.path for p in points if p.writable}
        kept = {p.path for p in points if p.path not in ("ID", "L") and p.kind != "sunssf"}
        self._values: dict[str, Any] = {k: v for k, v in given.items() if k in kept}

    def definition(self) -> Mapping[str, Any]:
        """The definition that the plug-in gave."""
        return self._model

    def stamp(self) -> object:
        """Changes with every write."""
        return self.view.version

    def values(self) -> Values:
        """The values of the definition, or what was written since."""
        return self._values

    def writable(self, path: str) -> bool:
        """RW points."""
        return path in self._writable

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:  # noqa: ARG002 - as in Model
        """Keep the values."""
        self._values = {**self._values, **changes}
        self.view.touched()


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
