"""The first line of a record, and the command line of its replay."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dersim import __version__
from dersim.csip.config import CsipConfig
from dersim.csip.subscriptions.hub import NotifyHub
from dersim.errors import ConfigError
from dersim.plugin.services import CompanionService
from dersim.recorded.flags import FILES, FLEET, FOLDER
from dersim.recorded.lines import FORMAT
from dersim.recorded.secrets import OURS
from dersim.timestamps import rfc3339

if TYPE_CHECKING:
    from dersim.engine.simulator import Simulator


class HeadMaker:
    """Makes the head of a run. words, files: as of `flags.kept_words` and `flags.kept_files`.

    keeps: whether it has a state, which may be that of an earlier run. pins: those that its DERs check for.
    """

    def __init__(
        self,
        options: Namespace,
        clock: Literal["real", "virtual"],
        words: list[str],
        files: dict[str, str],
        *,
        keeps: bool,
    ) -> None:
        groups = [group.options(options) for group in options.plan.groups]
        self._configs = [CsipConfig.from_options(each) for each in groups]
        self.pins = frozenset(each.pin for each in self._configs if each.pin is not None)
        self._seed = options.seed
        self._plan = options.plan
        self._keeps = keeps
        self._clock = clock
        self._words = words
        self._files = files

    def head(self, simulator: Simulator, start_s: float, lfdis: Mapping[int, str]) -> Mapping[str, Any]:
        """The line, once the clock runs."""
        config = self._configs[0]
        port = config.origin.port
        if not port and (companion := simulator.services.find(CompanionService)) is not None:
            port = companion.port
        hub = simulator.services.find(NotifyHub)
        return {
            "conversation": FORMAT,
            "dersim": __version__,
            "clock": self._clock,
            "start": rfc3339(start_s),
            "start_s": start_s,
            "seed": self._seed,
            "edition": config.edition.value,
            "flags": self._words,
            "files": self._files,
            "port": port,
            "profiles_from_s": simulator.fleet.profiles_from_s,
            **({} if hub is None else {"notify_url": hub.base_url}),
            **self._state(simulator),
            "pin_checked": bool(self.pins),
            "ders": [
                {"number": each.number, "lfdi": lfdis.get(each.number)} for each in simulator.fleet.devices
            ],
        }

    def _state(self, simulator: Simulator) -> dict[str, Any]:
        """Of a run that goes on from its state, or of the replay of one."""
        if not self._keeps:
            return {}
        began_s = self._plan.began_s
        return {"state": simulator.checkpoint(), **({} if began_s is None else {"began_s": began_s})}


def replay_words(head: Mapping[str, Any], folder: Path) -> list[str]:
    """The flags of `dersim sim` that repeat a run; its files are written into `folder`. ConfigError: odd."""
    words: list[str] = [*head["flags"], "--seed", str(head["seed"]), "--rate_override", "yes"]
    words += ["--csip_server_port", str(head["port"])]
    words += ["--csip_pin", str(OURS) if head["pin_checked"] else "none"]
    for name, text in head["files"].items():
        path = _place(folder, f"flag{name}" if name.startswith("-") else name)
        if text == FOLDER and not name.startswith("-"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if name in (*FILES.values(), FLEET):
            words += [name, str(path)]
    return words


def _place(folder: Path, name: str) -> Path:
    """A path within the folder, which another's record must not leave."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ConfigError(f"the record's file {name} would be written outside its folder; remove it")
    return path
