"""Values in messages."""

from __future__ import annotations

import pytest

from dersim.errors import ConfigError
from dersim.numeric import number, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (True, "true"), (False, "false"), (1, "1"), (0.0, "0.0"), ("None", "'None'")],
)
def test_a_value_is_shown_in_the_words_of_json(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_missing_number_is_null() -> None:
    with pytest.raises(ConfigError, match="opModMaxLimW: a number is needed, not null"):
        number("opModMaxLimW", None)
