"""The operator of `dersim server` for cactus-client: an entry point of the group `cactus_client.admin`.

cactus-client calls it before each step that needs the server in a certain state: an EndDevice, a control, a
poll rate. Where the admin port is says the environment variable DERSIM_ADMIN_URL.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from cactus_client.admin import hookimpl
from cactus_client.model.context import AdminContext
from cactus_client.model.execution import ActionResult, StepExecution
from cactus_client.sep2 import lfdi_from_cert_file
from cactus_test_definitions.server.test_procedures import AdminInstruction, ClientType

from dersim_cactus_admin.admin_rest import AdminRest
from dersim_cactus_admin.programs import Programs

VARIABLE = "DERSIM_ADMIN_URL"
#: The lists of the procedures by the names of the server's poll rates.
_RATES = {
    "DeviceCapability": "dcap",
    "EndDeviceList": "edev",
    "FunctionSetAssignmentsList": "fsa",
    "DERProgramList": "derp",
    "DERList": "der",
    "MirrorUsagePointList": "mup",
}


class Operator:
    """The hooks. One process of cactus-client runs one procedure against a fresh server."""

    def __init__(self) -> None:
        self._rest: AdminRest | None = None
        self._programs: Programs | None = None

    @property
    def rest(self) -> AdminRest:
        """The admin REST of the server under test."""
        if self._rest is None:
            self._rest = AdminRest(os.environ[VARIABLE])
        return self._rest

    @property
    def programs(self) -> Programs:
        """What was published in this procedure."""
        if self._programs is None:
            self._programs = Programs(self.rest)
        return self._programs

    @hookimpl
    async def admin_setup(self, context: AdminContext) -> ActionResult:
        """Nobody is in the group of all DERs: each client has its own assignments and programs."""
        del context
        self.rest.call("PUT", "groups/1", {"patterns": []})
        return ActionResult.done()

    @hookimpl
    async def admin_instruction(
        self, instruction: AdminInstruction, step: StepExecution, context: AdminContext
    ) -> ActionResult | None:
        """Carry one instruction out; None for one that is not known here."""
        del step
        carry_out: dict[str, Callable[..., None]] = {
            "ensure-end-device": self._end_device,
            "ensure-mup-list-empty": self._nothing,
            "ensure-fsa": lambda client, given: self.programs.assignment(client.lfdi, given["annotation"]),
            "ensure-der-program": lambda client, given: self.programs.program(client.lfdi, given),
            "ensure-der-control-list": lambda client, _: self.programs.any_program(client.lfdi),
            "create-der-control": lambda client, given: self.programs.publish(client.lfdi, given),
            "create-default-der-control": lambda client, given: self.programs.default(client.lfdi, given),
            "clear-der-controls": lambda client, given: self.programs.cancel(client.lfdi, given),
            "set-poll-rate": lambda _, given: self._rate(_RATES[given["resource"]], given),
            "set-post-rate": lambda _, given: self._rate("post", given),
            "set-client-access": self._access,
        }
        client = context.client_config_for(instruction.client)
        handler = carry_out.get(instruction.type)
        if handler is None:
            return None
        handler(client, instruction.parameters)
        return ActionResult.done()

    def _end_device(self, client: Any, given: dict[str, Any]) -> None:
        if given["registered"]:
            body = {"lfdi": client.lfdi, "pin": client.pin}
            if client.type is ClientType.AGGREGATOR:
                own = lfdi_from_cert_file(client.certificate_file)
                self.rest.call("POST", "end-devices", {"lfdi": own, "pin": client.pin})
                body["aggregator"] = own
            self.rest.call("POST", "end-devices", body)
        else:
            self.rest.call("DELETE", f"end-devices/{client.lfdi}", missing=True)

    @staticmethod
    def _nothing(client: Any, given: dict[str, Any]) -> None:
        """A fresh server has no mirrors."""

    def _rate(self, name: str, given: dict[str, Any]) -> None:
        self.rest.call("PUT", "poll-rates", {name: given["rate_seconds"]})

    def _access(self, client: Any, given: dict[str, Any]) -> None:
        self._end_device(client, {"registered": given["granted"]})


operator = Operator()
