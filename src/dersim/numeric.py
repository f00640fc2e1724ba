"""Numbers that come from outside: the one place where they become floats.

JSON has integers of any length and Python reads them all; `float` and `math.isfinite` raise OverflowError for
those over 1.8e308. Whoever takes a number from a file, a request or a document asks here first.
"""

from __future__ import annotations

import math

from dersim.errors import ConfigError

_MOST_SHOWN = 60
#: As JSON and YAML have them.
_WORDS = {None: "null", True: "true", False: "false"}


def finite(value: object) -> float | None:
    """The value as a finite float; None for what is no number, too large or not finite. True is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def within(value: object, low: float, high: float) -> float | None:
    """The same, and None for what lies outside low to high, both included."""
    number = finite(value)
    return number if number is not None and low <= number <= high else None


def number(
    where: str, value: object, low: float = -math.inf, high: float = math.inf, unit: str = ""
) -> float:
    """The value as a finite float within low to high; ConfigError names `where` and what is allowed."""
    found = finite(value)
    if found is None:
        raise ConfigError(f"{where}: a number is needed, not {shown(value)}")
    if not low <= found <= high:
        raise ConfigError(f"{where}: {found:g} is outside {low:g} to {high:g} {unit}".rstrip())
    return found


def shown(value: object) -> str:
    """A value from outside for a message: as JSON has null, true and false, else Python; cut. Never fails."""
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    return returned(value)


def returned(value: object) -> str:
    """What Python code of a plug-in gave, for a message: as Python writes it, cut. Never fails."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**_MOST_SHOWN:
        return "a whole number of more than 60 digits"  # Python refuses to write those of more than 4,300
    try:
        text = repr(value)
    except ValueError:  # such a number within a list or an object
        return f"a {type(value).__name__} with a number of thousands of digits"
    except RecursionError:
        return f"a {type(value).__name__} nested thousands of levels deep"
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."
