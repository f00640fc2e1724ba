"""Benches of a device that is not ours: nobody moves it, or a person does what is called out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

#: Inputs of a bench in words, with their units.
_INPUTS: Mapping[str, tuple[str, str]] = {
    "voltage_pu": ("voltage", "pu"),
    "frequency_hz": ("frequency", "Hz"),
    "irradiance_w_m2": ("sun", "W/m2"),
}


class Away:
    """The bench of a device that nobody here can move."""

    def set_inputs(self, **_: float) -> bool:
        """Not possible from here."""
        return False

    def raise_alarm(self, _number: int) -> bool:
        """Not possible from here."""
        return False


class Operated:
    """A bench at which a person does what is called out, having agreed to it before. said: calls it out."""

    def __init__(self, said: Callable[[str], None]) -> None:
        self._said = said

    def set_inputs(self, **values: float) -> bool:
        """Call out the values that are due now."""
        self._said(f"now: {in_words(values)}")
        return True

    def raise_alarm(self, number: int) -> bool:
        """Call out the alarm that is due now."""
        self._said(f"now: alarm {number}")
        return True


def in_words(inputs: Mapping[str, float]) -> str:
    """Inputs as a person sets them: `voltage 1.06 pu`."""
    named = ((*_INPUTS.get(name, (name, "")), value) for name, value in inputs.items())
    return ", ".join(f"{name} {value:g} {unit}".rstrip() for name, unit, value in named)
