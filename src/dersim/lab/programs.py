"""The two programs that the lab page runs, and how the settings of one follow from the other's.

Settings that the user leaves alone make the two programs find each other. Where encryption is on and no
certificates are given, both use the bundled test PKI. A simulator without a server address connects to the
lab's own server, on whatever port that listens, and expects its PIN. What the user sets is never replaced.

The option parsers come from `cli/lab.py`: the lab itself knows neither the simulator nor the server.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from dersim.errors import ConfigError
from dersim.lab.fields import Field, fields_of, words_of
from dersim.options import CSIP_PIN_VARIABLE, PIN_VARIABLE, OptionParser
from dersim.pages.guard import ADMIN_TOKEN_VARIABLE, TOKEN_VARIABLE

#: Flags with their text, as on a command line.
Values = Mapping[str, str]
#: Makes the parser that reads a given command line; plug-ins that the line selects add flags of their own.
ParserFactory = Callable[[Sequence[str]], OptionParser]

TEST_PKI = "--use_test_pki_certs"


class Program(NamedTuple):
    """One of the two: its key in the API, title in the menu, sub-command, and the flags the lab must know.

    certificates: the flags that all have to be absent for the test PKI to be used.
    secrets: flags that go to the child by an environment variable, since a command line is shown to all users
    of the machine. without: flags that the lab does not offer.
    """

    key: str
    title: str
    command: str
    encrypt: str
    certificates: tuple[str, ...]
    pin: str
    host: str
    port: str
    secrets: Mapping[str, str]
    without: tuple[str, ...] = ()

    def argv(self, words: Sequence[str]) -> list[str]:
        """What to execute. -P: a folder `dersim` where the lab was started is not taken for the package."""
        return [sys.executable, "-P", "-m", "dersim", self.command, *words]


SERVER = Program(
    key="server",
    title="IEEE 2030.5 Server",
    command="server",
    encrypt="--enc",
    certificates=("--cert", "--key", "--root_cert"),
    pin="--pin",
    host="--host",
    port="--port",
    secrets={"--pin": PIN_VARIABLE, "--admin_token": ADMIN_TOKEN_VARIABLE},
)
SIMULATOR = Program(
    key="simulator",
    title="DER Simulator",
    command="sim",
    encrypt="--csip_enc",
    certificates=("--csip_cert", "--csip_key", "--csip_root_cert"),
    pin="--csip_pin",
    host="--csip_server_ip",
    port="--csip_server_port",
    secrets={"--csip_pin": CSIP_PIN_VARIABLE, "--token": TOKEN_VARIABLE},
    without=("--demo",),  # it starts a second server
)
PROGRAMS = {program.key: program for program in (SERVER, SIMULATOR)}


def uses_lab_server(chosen: Values) -> bool:
    """Whether the simulator connects to the lab's server: it does until the user names another."""
    return SIMULATOR.host not in chosen and SIMULATOR.port not in chosen


class Programs:
    """What the option parsers say of both programs: their fields, their command lines, what is refused."""

    def __init__(self, *, server_parser: ParserFactory, simulator_parser: ParserFactory) -> None:
        self._parsers = {SERVER.key: server_parser, SIMULATOR.key: simulator_parser}
        self._fields = {
            program.key: fields_of(self.parser(program), without=program.without)
            for program in PROGRAMS.values()
        }

    def parser(self, program: Program, line: Sequence[str] = ()) -> OptionParser:
        """The parser that reads this command line of the program."""
        return self._parsers[program.key](line)

    def fields(self, program: Program) -> tuple[Field, ...]:
        """The program's form, the same as long as the lab runs."""
        return self._fields[program.key]

    def field(self, program: Program, name: str) -> Field:
        """One field by its flag; KeyError where there is none."""
        return {each.name: each for each in self.fields(program)}[name]

    def value(self, program: Program, values: Values, name: str) -> str:
        """The text of one flag: from `values`, else the flag's default."""
        return values.get(name, self.field(program, name).default)

    def wants_test_pki(self, program: Program, chosen: Values) -> bool:
        """Whether the program encrypts and none of its certificates is given."""
        own = (*program.certificates, TEST_PKI)
        encrypted = self.value(program, chosen, program.encrypt) == "yes"
        return encrypted and not any(chosen.get(name) for name in own)

    def simulator_defaults(self, server: Values, address: tuple[str, str] | None) -> dict[str, str]:
        """The flags that lead the simulator to the lab's server.

        server: what is chosen for the server. address: host and port where it listens, if it does.
        """
        host, port = address or (
            self.value(SERVER, server, SERVER.host),
            self.value(SERVER, server, SERVER.port),
        )
        out = {SIMULATOR.pin: self.value(SERVER, server, SERVER.pin)}
        if host not in ("0.0.0.0", "::", "localhost"):  # noqa: S104 - compared, not bound
            out[SIMULATOR.host] = host
        if port != "0":
            out[SIMULATOR.port] = port
        return out

    def words(self, program: Program, chosen: Values, given: Values) -> list[str]:
        """The command line. The user's choice comes before what the lab gives, that before the defaults."""
        return words_of(self.fields(program), {**given, **chosen})

    def check(self, program: Program, line: Sequence[str]) -> None:
        """Raise the ConfigError with which the program itself would refuse this command line.

        ``--token auto`` is refused too: the token that it makes is printed on the child's output only, where
        the lab masks it.
        """
        if ("--token", "auto") in pairwise(line):
            raise ConfigError(
                "--token: auto makes one that the lab page would not show; give one of your own"
            )
        self.parser(program, line).parse_args(line)

    def complained_field(self, program: Program, message: str) -> str | None:
        """The flag that a ConfigError of `check` is about."""
        first = message.partition(":")[0].split("/")[0].strip()
        for each in self.fields(program):
            if first in each.flags:
                return each.name
        return None
