"""The checks of `dersim doctor`, in order."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable

from dersim.csip.config import CsipConfig
from dersim.doctor import certificate_checks, document_checks, server_checks
from dersim.doctor.checking import Check, Found, Result, run_checks

CHECKS = (
    Check("key", (), certificate_checks.check_key),
    Check("identity", (), certificate_checks.check_identity),
    Check("chain", ("identity",), certificate_checks.check_own_chain),
    Check("ccm-8", (), certificate_checks.check_suite),
    Check("dns", (), server_checks.check_name),
    Check("tcp", ("dns",), server_checks.check_tcp),
    Check("tls", ("key", "tcp"), server_checks.check_tls),
    Check("dcap", ("tls",), server_checks.check_dcap),
    Check("time", ("dcap",), document_checks.check_time),
    Check("end device", ("dcap",), document_checks.check_end_device),
    Check("pin", ("end device",), document_checks.check_pin),
)


async def examine(
    config: CsipConfig, *, timeout_s: float = 10.0, now_s: Callable[[], float] = time.time
) -> AsyncGenerator[Result, None]:
    """The outcome of each check, as it comes. Nothing is changed on the server: only GETs are sent."""
    found = Found(config, timeout_s, now_s)
    try:
        async for result in run_checks(_for(config), found):
            yield result
    finally:
        if found.client is not None:
            await found.client.aclose()


def _for(config: CsipConfig) -> tuple[Check, ...]:
    """Without TLS the DeviceCapability needs the connection alone."""
    if config.origin.secure:
        return CHECKS
    plain = {"tls": ("tcp",), "dcap": ("tcp",), "chain": ()}
    return tuple(check._replace(needs=plain.get(check.name, check.needs)) for check in CHECKS)
