"""The operator's REST of planted faults, without HTTP: list, plant, remove."""

from __future__ import annotations

from typing import Any

from dersim.utility.faults.plans import fault_from
from dersim.utility.head_end import HeadEnd


def listed(head_end: HeadEnd) -> list[dict[str, Any]]:
    """Those that are not over, then those that are, newest first."""
    now_s = head_end.now_s()
    return [fault.to_json(now_s) for fault in head_end.faults]


def plant(head_end: HeadEnd, data: Any) -> dict[str, Any]:
    """Plant a fault; ConfigError, with a pointer where the body is the cause."""
    return head_end.faults.plant(fault_from(data)).to_json(head_end.now_s())


def remove(head_end: HeadEnd, text: str) -> dict[str, Any] | None:
    """End the fault of this number; None if there is none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    fault = head_end.faults.find(number)
    if fault is None:
        return None
    head_end.faults.remove(fault)
    return fault.to_json(head_end.now_s())
