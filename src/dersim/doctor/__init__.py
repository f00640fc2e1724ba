"""Finds out why a DER does not get on with its 2030.5 server: see `checking.py`."""

from __future__ import annotations

from dersim.doctor.checking import Result, run_checks
from dersim.doctor.checks import CHECKS, examine

__all__ = ["CHECKS", "Result", "examine", "run_checks"]
