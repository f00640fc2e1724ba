"""Modbus exceptions: the code on the wire and the reason for the log.

Codes of the Modbus Application Protocol 1.1b3, section 7. SunSpec (Device Information Model 1.1) leaves
open whether a refused write is 2, 3 or 4; here 2 means "there is nothing to write", 3 "not this value".
"""

from __future__ import annotations

from dersim.local_control.refused import Refused

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4
DEVICE_BUSY = 6
TARGET_FAILED = 11


def code_of(refused: Refused) -> int:
    """The Modbus exception of a refusal: of one by the device itself, "not this value"."""
    return refused.code if isinstance(refused, ModbusRefusal) else ILLEGAL_VALUE


class ModbusRefusal(Refused):
    """A request that is answered with a Modbus exception; nothing was changed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
