"""What an object with inner state gives to a checkpoint and takes back from one.

An object names the attributes to keep in `KEPT`: numbers, flags, texts, None, tuples and lists of them, and
objects that are kept themselves. What is worked out from nameplate, settings and modes is not among them. An
object whose state has another form has the methods `checkpoint` and `restore` (`Keeps`) instead.

The result is JSON. A key is the attribute without its underscore. JSON has no infinity: "inf", "-inf" and
"nan" are numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from math import inf, isfinite, nan
from typing import Any, Protocol

#: The key of a front-end's document under which it may have, by part and key, what never changes, only comes
#: and goes, as an event that is over: a state file writes each such row once, while it is the same object.
ROWS = "rows"

_NUMBERS = {"inf": inf, "-inf": -inf, "nan": nan}
_PLAIN = frozenset({bool, int, str, type(None)})


class Keeps(Protocol):
    """An object that gives its state as JSON and takes it back."""

    def checkpoint(self) -> Any:
        """The state as JSON."""
        ...

    def restore(self, document: Any) -> None:
        """Take over what `checkpoint` of an equal object gave; it begins to act at once."""
        ...


def is_kept(part: object) -> bool:
    """Whether an object can give its state."""
    return hasattr(part, "KEPT") or hasattr(part, "checkpoint")


def taken(part: Any) -> Any:
    """The state of an object as JSON; None where it has nothing to keep."""
    own = getattr(part, "checkpoint", None)
    if own is not None:
        return own()
    names = getattr(part, "KEPT", None)
    return None if names is None else attributes(part, names)


def attributes(part: Any, names: Iterable[str]) -> dict[str, Any]:
    """These attributes of an object as JSON."""
    found = {}
    for name in names:
        kept = getattr(part, name)
        # Nearly all are plain: without a call that costs as much as the rest.
        found[_key(name)] = kept if type(kept) in _PLAIN else plain(kept)
    return found


@cache
def _key(name: str) -> str:
    return name.lstrip("_")


def give(part: Any, document: Any) -> None:
    """Restore an object from what `taken` gave; attributes that are not in the document stay as they are."""
    own = getattr(part, "restore", None)
    if own is not None:
        own(document)
    else:
        set_attributes(part, getattr(part, "KEPT", ()), document or {})


def set_attributes(part: Any, names: Iterable[str], document: Mapping[str, Any]) -> None:
    """Set these attributes from what `attributes` gave."""
    for name in names:
        if _key(name) in document:
            _set(part, name, document[_key(name)])


def _set(part: Any, name: str, kept: Any) -> None:
    now = getattr(part, name)
    if isinstance(now, dict):
        parts = {key: each for key, each in now.items() if type(each) not in _PLAIN and is_kept(each)}
        for key, each in parts.items():
            give(each, kept.get(key))
        if not parts:
            setattr(part, name, {key: value(each) for key, each in kept.items()})
    elif type(now) not in _PLAIN and is_kept(now):
        give(now, kept)
    else:
        found = value(kept)
        setattr(part, name, list(found) if isinstance(now, list) else found)


def plain(found: Any) -> Any:
    """A value as JSON."""
    kind = type(found)
    if kind is float:
        return found if isfinite(found) else str(found)
    if kind in _PLAIN:
        return found
    if kind is tuple or kind is list:
        return [each if type(each) in _PLAIN else plain(each) for each in found]
    if kind is dict:
        return {key: plain(each) for key, each in found.items()}
    if isinstance(found, tuple):
        return [each if type(each) in _PLAIN else plain(each) for each in found]
    return int(found) if isinstance(found, int) else taken(found)  # an enumeration, or an object


def value(kept: Any) -> Any:
    """The value of a JSON number, text or list; lists become tuples."""
    if isinstance(kept, list):
        return tuple(value(each) for each in kept)
    return _NUMBERS.get(kept, kept) if isinstance(kept, str) else kept
