"""The four roles of Secure SunSpec Modbus, and which models each may read and write.

Roles come from the client certificate's extension 1.3.6.1.4.1.50316.802.1 (one UTF8String). A grid service
provider may set what a utility sets; trip limits, the switch and our test controls are left to the owner.
Without TLS there are no roles and everything is allowed, as with every inverter on port 502.
"""

from __future__ import annotations

from typing import NamedTuple

#: Models with settings and commands that a grid service provider may write (as dersecure/rbac has it).
_GRID_SERVICE = frozenset({121, 123, 702, 703, 704, 705, 706, 711, 712})
_NETWORK = frozenset({1})


class Rights(NamedTuple):
    """What a role may do. reads, writes: models, None for all."""

    role: str
    reads: frozenset[int] | None = None
    writes: frozenset[int] | None = None

    def may_read(self, model_id: int) -> bool:
        """Whether the points of a model may be read."""
        return self.reads is None or model_id in self.reads

    def may_write(self, model_id: int) -> bool:
        """Whether the points of a model may be written."""
        return self.writes is None or model_id in self.writes


EVERYTHING = Rights("none needed")
NOTHING = Rights("none", frozenset(), frozenset())

ROLES: dict[str, Rights] = {
    role.role: role
    for role in (
        Rights("ReadOnlySunSpec", None, frozenset()),
        Rights("GridServiceSunSpec", None, _GRID_SERVICE),
        Rights("NetworkAdministratorSunSpec", _NETWORK, _NETWORK),
        Rights("SuperAdministratorSunSpec"),
    )
}
