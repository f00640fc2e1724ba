"""The plug-in under test: found by name, distribution or path, loaded beside the built-in types."""

from __future__ import annotations

import importlib.util
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from dersim.device import Device, ManualClock
from dersim.errors import ConfigError, DersimError, origin_of, root_cause
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad
from dersim.outcomes import FAILED, OK, SKIPPED, Failed, Result, Skipped
from dersim.plugin.builtin import make_device
from dersim.plugin.candidates import BUILT_IN_NAMES, Candidate, find
from dersim.plugin.registry import Named, Registry, T

if TYPE_CHECKING:
    from dersim.functions.contract import FunctionType
    from dersim.hardware.device_type import DeviceType


class Check(NamedTuple):
    """act: returns what was found to be good; raises `Failed` or `Skipped`."""

    name: str
    act: Callable[[], str]

    def result(self) -> Result:
        """Run it. Any other error of the plug-in fails it."""
        try:
            return Result(self.name, OK, self.act())
        except Skipped as why:
            return Result(self.name, SKIPPED, str(why))
        except DersimError as error:
            return Result(self.name, FAILED, _one_line(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the plug-in's: it is what the check found
            cause = root_cause(error)
            return Result(self.name, FAILED, _one_line(f"raised {cause!r} in {origin_of(error)}"))


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


class Bench(NamedTuple):
    """A DER on a clock that is moved by hand."""

    device: Device
    clock: ManualClock

    @property
    def name(self) -> str:
        """Its device type."""
        return self.device.device_type.name

    def to(self, now_s: float) -> None:
        """Step to an instant; `Failed` if that stopped the DER."""
        self.clock.time_s = now_s
        self.device.step(now_s)
        if self.device.failed:
            raise Failed(f"{self.name}: {self.device.failed}")


@dataclass(slots=True)
class Subject:
    """A loaded plug-in. registry: its objects and the built-in types. options: of its flags, ports 0.

    seed: of everything random in the checks. hooks: those that it has.
    """

    name: str
    registry: Registry
    options: Namespace
    seed: int = 0
    hooks: tuple[str, ...] = ()

    def own(self, table: Named[T]) -> list[T]:
        """The objects of one kind that the plug-in registered."""
        return [item for name, item in table.items() if table.owners[name] == self.name]

    def benches(self, *functions: FunctionType) -> Iterator[Bench]:
        """One DER of each device type.

        functions: in place of those of the same name.
        """
        for kind in self.registry.device_types.values():
            yield self.bench(kind, *functions)

    def bench(self, kind: DeviceType, *functions: FunctionType) -> Bench:
        """A DER of this type at the instant 0, with a load behind its meter that is 0."""
        given = {each.name: each for each in functions}
        chosen = [given.get(name, each) for name, each in self.registry.functions.items()]
        nameplate = self.registry.nameplate_of(kind)
        clock = ManualClock()
        inputs = Inputs(Conditions(frequency_hz=nameplate.frequency_hz), site=SiteLoad(nameplate.phases))
        device = make_device(
            clock=clock, device_type=kind, functions=chosen, nameplate=nameplate, inputs=inputs
        )
        bench = Bench(device, clock)
        bench.to(0.0)
        return bench


def candidates_of(name: str) -> list[Candidate]:
    """The plug-ins of this name, distribution, module file or package folder; ConfigError for none."""
    path = Path(name)
    if path.suffix == ".py" or "/" in name:
        return [_at(path)]
    every = [each for each in find() if each.name not in BUILT_IN_NAMES]
    found = [each for each in every if _plain(name) in (_plain(each.name), _distribution(each))]
    if not found:
        known = ", ".join(each.name for each in every) or "none"
        why = "comes with dersim" if name in BUILT_IN_NAMES else "no plug-in or distribution of that name"
        raise ConfigError(f"{name}: {why}; installed plug-ins: {known}; a path to a module will do, too")
    return found


def _at(path: Path) -> Candidate:
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        raise ConfigError(f"{path}: no Python module; give a .py file or a folder with __init__.py")
    name = path.resolve().stem

    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None  # noqa: S101 - a file that ends with .py has a loader
        assert spec.loader is not None  # noqa: S101 - as above
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return Candidate(name, "unknown", str(path), load)


def _distribution(candidate: Candidate) -> str:
    return _plain(candidate.origin.partition(" (")[0])


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def of_types(names: list[str]) -> str:
    """Device types for a line."""
    return told(names) if len(names) < 4 else f"{len(names)} device types"


def told(names: Iterable[str]) -> str:
    """Names for a line."""
    return ", ".join(names) or "none"
