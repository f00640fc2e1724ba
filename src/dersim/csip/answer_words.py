"""An answer of the server in words, for the log and the conversation."""

from __future__ import annotations

from typing import Any

from dersim.exchanges.verdicts import mask_pin

REDIRECTS = (301, 302, 307, 308)


def end_of(status: int) -> str:
    """How an exchange ended, for the conversation."""
    return "ok" if 200 <= status < 300 else "redirect" if status in REDIRECTS else f"refused with {status}"


def described(resource: Any) -> str:
    """A document in the log: its name, of a list how much of it came."""
    name = type(resource).__name__
    total = getattr(resource, "all", None)
    return f"{name}, {resource.results} of {total}" if total is not None else name


def first_words(body: bytes, content_type: str) -> str:
    """The beginning of a plain body of an error answer; "" of a page."""
    text = " ".join(mask_pin(body[:400]).decode("utf-8", "replace").split())
    return "" if "html" in content_type or text.lower().startswith("<!doctype") else text[:160]
