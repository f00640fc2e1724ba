"""A fault as the operator or a scenario file has written it: checked, not yet planted."""

from __future__ import annotations

from typing import Any, NamedTuple

from dersim.errors import LocalProtocolError
from dersim.ieee2030_5 import identity
from dersim.json_schema import require
from dersim.json_text import BodyError
from dersim.numeric import shown
from dersim.suggestions import hint
from dersim.utility.faults.forms import COMPONENTS, FORMS, SCHEMAS


class FaultPlan(NamedTuple):
    """A checked fault: its kind, and all members as they were given (`forms.py`)."""

    kind: str
    data: dict[str, Any]


def fault_from(data: Any) -> FaultPlan:
    """The plan of `{"kind": "status", "status": 503, "count": 2}`; BodyError with the place of a mistake."""
    if not isinstance(data, dict):
        raise BodyError(f'an object such as {{"kind": "status", "status": 503}} is needed, not {shown(data)}')
    if "kind" not in data:
        raise BodyError(f"kind is missing: one of {', '.join(FORMS)}")
    kind = data["kind"]
    if not isinstance(kind, str) or kind not in FORMS:
        raise BodyError(f"{shown(kind)} is no kind of fault; {hint(kind, FORMS)}", "/kind")
    require(SCHEMAS[kind], COMPONENTS, data)
    data = dict(data)
    if isinstance(data.get("device"), str):
        data["device"] = _lfdi(data["device"])
    _check_together(data)
    return FaultPlan(kind, data)


def _lfdi(text: str) -> str:
    try:
        return identity.normal_lfdi(text)
    except LocalProtocolError as error:
        raise BodyError(f"device: {error}; or give the number of an EndDevice", "/device") from None


def _check_together(data: dict[str, Any]) -> None:
    if "retry_after" in data and "retry_after_s" not in data:
        raise BodyError("retry_after says how retry_after_s is written, which is missing", "/retry_after")
    if "to" in data and "hops" in data:
        raise BodyError("hops are paths of our own; leave out hops, or to", "/hops")
    if data.get("by") == 0:
        raise BodyError("by 0 B is the true length; give another number", "/by")
    if "seed" in data and "probability" not in data:
        raise BodyError("seed is that of the draws; give a probability with it", "/seed")
