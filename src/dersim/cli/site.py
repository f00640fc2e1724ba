"""What commands that ask a running dersim over HTTP have in common: its URL, and errors in a few words."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

import httpx

from dersim.numeric import shown


def url_like(example: str) -> Callable[[str], str]:
    """A converter for the URL of a site, of which scheme, host and port are used."""

    def convert(text: str) -> str:
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in {"http", "https"} or not url.host:
            raise argparse.ArgumentTypeError(f"a URL such as {example} is needed, not {shown(text)}")
        return f"{url.scheme}://{url.netloc.decode('ascii')}"

    return convert


def reason(error: Exception, timeout_s: float) -> str:
    """Why there is no answer, in a few words."""
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {timeout_s:g} s"
    words = " ".join(re.sub(r"\[Errno -?\d+\]", "", str(error)).split())
    return words[:1].lower() + words[1:] or type(error).__name__
