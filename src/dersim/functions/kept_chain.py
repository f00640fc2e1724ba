"""What the control functions of a DER give to a checkpoint, and take back.

The functions with a mode in force and the standing ones are kept, and every one of a plug-in that can be
(`kept.py`); the others begin anew when they get a mode.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from dersim.fences import at_start
from dersim.functions.base import INF, Function
from dersim.functions.chain import Chain
from dersim.functions.checked import Checked
from dersim.functions.contract import NOTHING, ControlFunction, Demand
from dersim.functions.ramp import Bounds
from dersim.kept import attributes, give, plain, set_attributes, taken, value

_OWN = (
    "p_w",
    "q_var",
    "mean_p_w",
    "mean_q_var",
    "over_w",
    "settled",
    "ramps",
    "q_follows",
    "_served",
    "reactive",
    "battery_ramp",
)
_ASKED = tuple(each.name for each in fields(Demand) if each.name != "lag")
_BY = ("holder", "tripper", "limiter")


def checkpoint(chain: Chain) -> dict[str, Any]:
    """The state of a chain as JSON. PluginError for a control function that gives none."""
    names = {id(function): name for name, function in chain.called.items()}
    service, ramp = chain.service, chain.ramp
    bounds = {name: each for name, each in chain.bounds.items() if not _untouched(each)}
    return {
        **attributes(chain, _OWN),
        "service": taken(service),
        "by": {role: names.get(id(getattr(service, role))) for role in _BY},
        "asks_q": names.get(id(chain.reactive.by)),
        "q_demand": _demand(chain.reactive.demand),
        "terminal_v_pu": chain.inverter.v_pu,
        "unlimited_w": chain.without.unlimited_w,
        "functions": {name: _state(name, function) for name, function in _keeping(chain)},
        "bounds": {name: [taken(each), _demand(each.demand)] for name, each in bounds.items()},
        "ending": [] if ramp is None else [name for name, each in bounds.items() if each in ramp.ending],
    }


def restore(chain: Chain, document: Mapping[str, Any]) -> None:
    """Take over what `checkpoint` gave; after `configure` with the modes in force."""
    set_attributes(chain, _OWN, document)
    service, called = chain.service, chain.called
    give(service, document["service"])
    for role, name in document["by"].items():
        setattr(service, role, called.get(name))
    chain.reactive.by = called.get(document["asks_q"], chain.reactive.by)
    chain.reactive.demand = _demanded(document["q_demand"])
    chain.inverter.v_pu = document["terminal_v_pu"]
    chain.without.unlimited_w = document["unlimited_w"]
    for name, function in _keeping(chain):
        if name in document["functions"]:
            _restore(name, function, document["functions"][name])
    for name, (kept, asked) in document["bounds"].items():
        if name in chain.bounds:
            give(chain.bounds[name], kept)
            chain.bounds[name].demand = _demanded(asked)
    if chain.ramp is not None:
        chain.ramp.ending = [chain.bounds[name] for name in document["ending"] if name in chain.bounds]


def not_kept(chain: Chain) -> list[str]:
    """The control functions of plug-ins that give no state, and begin anew."""
    return [name for name, each in chain.called.items() if isinstance(each, Checked) and not _gives(each)]


def _keeping(chain: Chain) -> Iterator[tuple[str, ControlFunction]]:
    called = {id(function) for function in (*chain.enabled, chain.ramp)}
    for name, function in chain.called.items():
        if _gives(function) if isinstance(function, Checked) else id(function) in called:
            yield name, function


def _gives(function: Checked) -> bool:
    """Whether a plug-in's function says itself what is kept."""
    kept = getattr(function.function, "KEPT", Function.KEPT)
    return kept is not Function.KEPT or hasattr(function.function, "checkpoint")


def _state(name: str, function: ControlFunction) -> Any:
    if not isinstance(function, Checked):
        return taken(function)
    with at_start(name, f"the checkpoint of control function {name}"):
        return json.loads(json.dumps(taken(function.function), allow_nan=False))


def _restore(name: str, function: ControlFunction, state: Any) -> None:
    if not isinstance(function, Checked):
        give(function, state)
        return
    with at_start(name, f"the restore of control function {name}"):
        give(function.function, state)


def _untouched(bounds: Bounds) -> bool:
    """Whether the function was never called."""
    return bounds.begin and bounds.limit.value == -bounds.floor.value == INF


def _demand(demand: Demand) -> dict[str, Any]:
    """What it asks for; nothing of what it leaves alone."""
    if demand is NOTHING:
        return {}
    asked = {name: getattr(demand, name) for name in _ASKED}
    return {name: plain(each) for name, each in asked.items() if each != getattr(NOTHING, name)}


def _demanded(asked: Mapping[str, Any]) -> Demand:
    return Demand(**{name: value(each) for name, each in asked.items()}) if asked else NOTHING
