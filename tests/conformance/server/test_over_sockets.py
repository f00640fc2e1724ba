"""A companion server passes over real sockets, set up by its admin REST; the others of its ids are slow."""

import io
import time

import pytest
import trio

from dersim.conformance.kit import SERVER, make_kit
from dersim.conformance.operator import Nobody
from dersim.conformance.procedure import Verdict
from dersim.conformance.server.admin import AdminOperator, call_over_http
from dersim.conformance.server.owner import Owner
from dersim.conformance.server.procedures import ALL
from dersim.conformance.server.runs import run_real
from dersim.conformance.server.target import target_of
from dersim.errors import ConfigError, bare_errors
from dersim.logbuffer import LogBuffer
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

QUICK = (
    "COMM-002",
    "COMM-003",
    "COMM-004B",
    "COMM-004E",
    "CORE-001",
    "CORE-002",
    "CORE-003",
    "CORE-009",
    "UTIL-001",
)


#: What the slow test runs: what lasts no longer, printed seconds, and some of the rest.
LASTS_S = 120
SAMPLE = ("BASIC-010", "BASIC-021", "BASIC-023")


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("sockets"))


async def judged(kit, names, operator=None):
    config = UtilityConfig(port=0, admin_port=0, registration="known")
    config.certificate, config.key, config.root = kit.cert(SERVER), kit.key(SERVER), kit.root
    server = UtilityServer(config, time.time, LogBuffer(stream=io.StringIO()))
    await server.bind()
    outcomes = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        target = target_of(f"{server.url}/dcap", kit)
        operator = operator or AdminOperator(call_over_http(server.admin_url))
        found = run_real([ALL[name] for name in names], target, operator, time.time(), 0.1, lambda _: None)
        outcomes = [outcome async for outcome in found]
        left = [each.description for each in server.head_end.programs], len(server.head_end.end_devices)
        nursery.cancel_scope.cancel()
    return outcomes, left


def test_quick_ids_pass_and_leave_nothing_behind(kit):
    outcomes, left = trio.run(judged, kit, QUICK)
    failed = {
        each.procedure.id: [
            (one.criterion.text, one.finding.text)
            for one in each.judged
            if one.finding.verdict is not Verdict.PASS
        ]
        for each in outcomes
        if each.conformance is not Verdict.PASS
    }
    assert failed == {}
    assert left == (["system", "operator"], 0)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_most_ids_pass(kit):
    names = [name for name in ALL if ALL[name].lasts_s <= LASTS_S or name in SAMPLE]
    outcomes, _ = trio.run(judged, kit, names)
    assert [each.procedure.id for each in outcomes if each.conformance is not Verdict.PASS] == []


def test_without_an_operator_what_needs_one_is_not_seen(kit):
    outcomes, _ = trio.run(judged, kit, ["COMM-003", "UTIL-001"], Owner(Nobody()))
    assert [each.conformance for each in outcomes] == [Verdict.PASS, Verdict.NOT_SEEN]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8443/dcap", "https://", "https://127.0.0.1:99999/dcap"])
def test_what_is_no_https_url_is_refused(kit, url):
    with pytest.raises(ConfigError, match="--server"):
        target_of(url, kit)


async def checked(config, token):
    server = UtilityServer(config, time.time, LogBuffer(stream=io.StringIO()))
    await server.bind()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        try:
            await AdminOperator(call_over_http(server.admin_url, token)).check()
        finally:
            nursery.cancel_scope.cancel()


def test_the_token_of_the_admin_port_is_sent():
    config = UtilityConfig(
        port=0, admin_port=0, encrypted=False, admin_token="0123456789abcdef0123456789abcdef"
    )
    trio.run(checked, config, config.admin_token)
    with pytest.raises(ConfigError, match="DERSIM_ADMIN_TOKEN"), bare_errors():
        trio.run(checked, config, None)


def test_a_server_that_is_not_there_is_told_at_once(kit):
    with pytest.raises(ConfigError, match="cannot be reached: connection refused"):
        trio.run(target_of("https://127.0.0.1:1/dcap", kit).check)
