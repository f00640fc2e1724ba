"""What a word from outside may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def hint(word: object, known: Iterable[object]) -> str:
    """``did you mean volt_var?``, or where no known word is near ``known are ...``."""
    words = [str(each) for each in known]
    near = near_to(word, words)
    return f"did you mean {near}?" if near else f"known are {', '.join(words)}"


def near_to(word: object, known: Iterable[str]) -> str | None:
    """The known word that is most like this one; None where none is near."""
    by_case = {each.lower(): each for each in known}
    text = str(word)[:100].lower()
    # Numbers, as of SunSpec models, are not misspelt.
    near = difflib.get_close_matches(text, by_case, 1, 1.0 if text.isdecimal() else 0.6)
    return by_case[near[0]] if near else None
