"""The two programs that the lab page runs, and how the settings of one follow from the other's.

What the user leaves alone is chosen so that the two find each other: where encryption is on and no
certificates are given, both take the bundled test PKI; a simulator whose server address is left alone goes to
the lab's own server, whatever port that has, and expects the PIN that it hands out. Everything that the user
does say stands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from dersim.cli.server import add_arguments
from dersim.cli.sim_options import make_parser
from dersim.errors import ConfigError
from dersim.lab.fields import Field, fields_of, words_of
from dersim.options import OptionParser

Values = Mapping[str, str]


class Program(NamedTuple):
    """One of the two: its `key` in the API, its name in the menu, its command, the flags with a part here.

    parser: the grammar that reads a given command line; certificates: those whose absence means the test PKI.
    """

    key: str
    title: str
    command: str
    parser: Callable[[Sequence[str]], OptionParser]
    encrypt: str
    certificates: tuple[str, ...]
    pin: str
    host: str
    port: str
    without: tuple[str, ...] = ()

    def argv(self, words: Sequence[str]) -> list[str]:
        """What to execute. -P: a folder `dersim` where the lab was started is not taken for the package."""
        return [sys.executable, "-P", "-m", "dersim", self.command, *words]


TEST_PKI = "--use_test_pki_certs"


def _server_parser(args: Sequence[str]) -> OptionParser:
    del args
    parser = OptionParser(prog="dersim server")
    add_arguments(parser)
    return parser


SERVER = Program(
    key="server",
    title="IEEE 2030.5 Server",
    command="server",
    parser=_server_parser,
    encrypt="--enc",
    certificates=("--cert", "--key", "--root_cert"),
    pin="--pin",
    host="--host",
    port="--port",
)
SIMULATOR = Program(
    key="simulator",
    title="DER Simulator",
    command="sim",
    parser=lambda args: make_parser(args)[0],
    encrypt="--csip_enc",
    certificates=("--csip_cert", "--csip_key", "--csip_root_cert"),
    pin="--csip_pin",
    host="--csip_server_ip",
    port="--csip_server_port",
    without=("--demo",),  # it would bring a second server
)
PROGRAMS = {program.key: program for program in (SERVER, SIMULATOR)}


@cache
def fields(program: Program) -> tuple[Field, ...]:
    """The form of a program, the same as long as the lab runs."""
    return fields_of(program.parser(()), without=program.without)


def field(program: Program, name: str) -> Field:
    """One field by its flag; KeyError where there is none."""
    return {each.name: each for each in fields(program)}[name]


def value(program: Program, values: Values, name: str) -> str:
    """What `values` come to for one flag."""
    return values.get(name, field(program, name).default)


def wants_test_pki(program: Program, chosen: Values) -> bool:
    """Encrypted, and none of its certificates given."""
    own = (*program.certificates, TEST_PKI)
    return value(program, chosen, program.encrypt) == "yes" and not any(chosen.get(name) for name in own)


def uses_lab_server(chosen: Values) -> bool:
    """Whether the simulator's server is the lab's, as long as nobody named another."""
    return SIMULATOR.host not in chosen and SIMULATOR.port not in chosen


def simulator_defaults(server: Values, address: tuple[str, str] | None) -> dict[str, str]:
    """Where the lab's server is and the PIN that it gives out; `address`: where it listens, if it does."""
    host, port = address or (value(SERVER, server, SERVER.host), value(SERVER, server, SERVER.port))
    out = {SIMULATOR.pin: value(SERVER, server, SERVER.pin)}
    if host not in ("0.0.0.0", "::", "localhost"):  # noqa: S104 - compared, not bound
        out[SIMULATOR.host] = host
    if port != "0":
        out[SIMULATOR.port] = port
    return out


def words(program: Program, chosen: Values, given: Values) -> list[str]:
    """The command line: what the user chose, over what the lab gives, over the flags' own defaults."""
    return words_of(fields(program), {**given, **chosen})


def check(program: Program, line: Sequence[str]) -> None:
    """ConfigError, as the program itself would complain, for a command line that it would refuse.

    ``--token auto`` is refused too: a token that is made up is told on the child's output alone, and the lab
    shows no token.
    """
    if ("--token", "auto") in pairwise(line):
        raise ConfigError("--token: auto makes one that the lab page would not show; give one of your own")
    program.parser(line).parse_args(line)


def complained_field(program: Program, message: str) -> str | None:
    """The flag that a ConfigError of `check` is about."""
    first = message.partition(":")[0].split("/")[0].strip()
    for each in fields(program):
        if first in each.flags:
            return each.name
    return None
