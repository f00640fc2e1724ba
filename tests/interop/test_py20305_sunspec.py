"""PyPI's py20305 as a gateway: a DERControl at our server, through its SunSpec connector, into our inverter.

The simulator runs without its own 2030.5 client here; the only way from server to inverter is Modbus.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.interop.peer import Identity, write_config
from tests.interop.processes import program

from dersim.testing import Conversation, Der, TestCertificates, UtilityHandle

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")

LIMIT = "opModMaxLimW"


@pytest.mark.dersim(over="loopback", frontends=["modbus"])
def test_a_dercontrol_reaches_our_inverter_through_py20305(
    utility: UtilityHandle,
    der: Der,
    conversation: Conversation,
    dersim_certificates: TestCertificates,
    tmp_path: Path,
) -> None:
    own = dersim_certificates.device(1)
    identity = Identity(own.cert, own.key, dersim_certificates.root)
    config = write_config(tmp_path, utility.address, identity=identity, modbus_port=der.modbus.port)
    curve = {"curve": [[95, 40], [105, 40]], "y_ref_type": 3, "open_loop_s": 1}
    modes = {LIMIT: 60, "opModVoltVar": curve}
    with program("py20305", "--config", str(config), cwd=tmp_path) as client:
        # At its first request, however late that comes: it polls no sooner than 10 s after its first round.
        conversation.wait_for("GET", "/dcap", within_s=40)
        utility.publish(modes, start_in_s=6, duration_s=8, response_required=7)
        der.wait_for(lambda der: (der.setpoint(LIMIT), der.source(LIMIT)) == (60, "modbus"), within_s=30)
        der.wait_for(lambda der: abs(der.p_w - 6000) < 100, within_s=10)
        [put, *_] = conversation.wait_for("PUT", "*/dercap", within_s=30)
        rated = put.sent().rtgMaxW  # by way of model 702
        assert rated.value * 10**rated.multiplier == 10_000
        der.wait_for(lambda der: der.setpoint(LIMIT) in (None, 100), within_s=30)
        assert client.stop(30) == 0
