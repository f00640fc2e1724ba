"""The front-end `utility`: only with --demo, on the simulator's clock, with the right addresses."""

from argparse import Namespace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from dersim import pki
from dersim.device import ManualClock
from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.ieee2030_5 import identity
from dersim.logbuffer import LogBuffer
from dersim.options import OptionParser
from dersim.plugin.server_parts import ServerParts
from dersim.tls.files import load_certificates
from dersim.utility import demo
from dersim.yaml_text import FileError


class Clock:
    """A simulated clock that is not running yet."""

    def now_s(self):
        raise AssertionError("the clock was read before it runs")


class Context:
    def __init__(self, options, log):
        self.options, self.clock, self.log, self.fences = options, Clock(), log, Fences(log)
        self.buffers, self.offered, self.addresses = {}, {}, {}
        self.server_parts = ServerParts()

    def offer(self, kind, service):
        self.offered[kind] = service


def options(**changes):
    given = {"demo": True, "admin_host": "127.0.0.1", "admin_port": 0}
    given |= {"csip_server_port": 0, "csip_server_ip": "127.0.0.1"}
    return Namespace(**given | {"csip_enc": True, "use_test_pki_certs": None, "scenario": None} | changes)


def test_only_with_the_flag():
    assert list(demo.register_frontends(options(demo=False))) == []
    (kind,) = demo.register_frontends(options())
    assert (kind.name, kind.scope, kind.peer_follows_simulated_time) == ("utility", "fleet", True)
    assert kind.order < 100, "bound before the clients"


def test_the_flag_of_the_admin_port():
    parser = OptionParser()
    demo.add_options(parser)
    assert parser.parse_args([]).admin_port == 8444
    assert parser.parse_args(["--admin_port", "0"]).admin_port == 0


def test_the_admin_port_of_the_demo_is_guarded_as_that_of_the_server():
    log = LogBuffer(stream_level="Error")
    (kind,) = demo.register_frontends(options())
    with pytest.raises(ConfigError, match=r"--admin_host 0\.0\.0\.0: other machines"):
        kind.make(Context(options(admin_host="0.0.0.0", csip_enc=False), log))
    guarded = options(admin_host="0.0.0.0", admin_token="s3cret", csip_enc=False)
    server = kind.make(Context(guarded, log))
    assert (server.config.admin_host, server.config.admin_token) == ("0.0.0.0", "s3cret")
    assert "s3cret" not in str(log.entries())


@pytest.mark.parametrize("host", ["1.2.3.4", "utility.example", "::2"])
def test_a_foreign_server_beside_the_demo_is_refused(host):
    with pytest.raises(ConfigError, match="--csip_server_ip"):
        demo.register_frontends(options(csip_server_ip=host))


@pytest.mark.parametrize("encrypted", [True, False])
async def test_it_binds_before_the_clock_runs_and_tells_where(tmp_path, encrypted):
    folder = pki.create(tmp_path / "pki", 0)
    log = LogBuffer(stream_level="Error")
    (kind,) = demo.register_frontends(options())
    server = kind.make(Context(options(csip_enc=encrypted, use_test_pki_certs=str(folder)), log))
    shown = await server.bind()
    try:
        scheme = "https" if encrypted else "http"
        assert shown["utility"] == server.url == f"{scheme}://127.0.0.1:{server.port}"
        assert server.port != 0
        assert shown["utility_admin"] == f"http://127.0.0.1:{server.admin_port}"
        assert server.pin == 111115
        assert server.config.cycle
        assert server.status().state == "listening"
    finally:
        for listener in (*server._listeners, *server._admin_listeners):
            await listener.aclose()


def test_a_scenario_is_played_instead_of_the_cycle_and_its_pin_is_that_of_the_clients(tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("pin: 222220\nprograms: [{name: P, primacy: 9, default: {opModMaxLimW: 60}}]")
    given = options(scenario=file, csip_enc=False)
    (kind,) = demo.register_frontends(given)
    context = Context(given, LogBuffer(stream_level="Error"))
    context.clock = ManualClock(1_800_000_000.0)
    server = kind.make(context)
    assert (server.config.cycle, given.pin, len(server.head_end.programs)) == (False, 222220, 0)
    server.begin()
    assert [program.description for program in server.head_end.programs] == ["P"]


def test_a_scenario_of_the_demo_knows_ders_by_their_numbers(tmp_path):
    file = tmp_path / "s.yaml"
    text = "groups: [{{name: g, level: feeder, ders: [{0}]}}]\nprograms: [{{name: P, primacy: 1}}]\n"
    context = Context(options(scenario=file), LogBuffer(stream_level="Error"))
    context.fleet = Namespace(numbered=True, find=lambda number: number if number < 4 else None)
    file.write_text(text.format(3))
    demo.make(context)
    (_, server) = context.offered.popitem()
    pair = load_certificates(pki.ensure_device(pki.bundled_dir(), 3).cert, "of DER 3")[0]
    lfdi = identity.lfdi(pair.public_bytes(Encoding.DER))
    assert server._scenario.groups[0].devices == [lfdi]
    file.write_text(text.format(4))
    with pytest.raises(FileError, match="/groups/0/ders/0: there is no DER 4 in this run"):
        demo.make(context)
    context.options.csip_enc, context.options.csip_server_port = False, 0
    file.write_text(text.format(3))
    with pytest.raises(FileError, match="without TLS the LFDI of a DER is not known beforehand"):
        demo.make(context)
