"""The one list of commands. `dersim --help`, the help of each command and shell completion are made from it.

The module of a command has ``main(args) -> exit code`` and ``make_parser() -> OptionParser``, and is imported
only when it is asked for. A new command is a module and a row here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dersim.options import OptionParser


class Example(NamedTuple):
    """A command line that works as written, and what it does."""

    line: str
    doc: str


class Command(NamedTuple):
    """A sub-command. doc: what it does, in a few words. group: a title of `GROUPS`."""

    module: str
    doc: str
    group: str
    examples: tuple[Example, ...]

    def make_parser(self) -> OptionParser:
        """The parser with every flag of the command, those of installed plug-ins included."""
        parser: OptionParser = importlib.import_module(self.module).make_parser()
        return parser

    @property
    def main(self) -> Callable[[list[str]], int]:
        """What runs the command with the words after its name."""
        run: Callable[[list[str]], int] = importlib.import_module(self.module).main
        return run


RUN, FILES, HELP = "run", "certificates and files", "this installation"
GROUPS = (RUN, FILES, HELP)

COMMANDS: dict[str, Command] = {
    "sim": Command(
        "dersim.cli.sim",
        "run simulated DERs and their front-ends",
        RUN,
        (
            Example(
                "dersim sim --demo", "one DER, a utility that sends it controls, and pages to watch both"
            ),
            Example("dersim sim --demo -N 20", "the same with 20 DERs"),
            Example("dersim sim --fleet fleet.yaml", "groups of different DERs, as a fleet file says"),
            Example(
                "dersim sim --csip_server_ip 192.0.2.5 --csip_cert cert.pem --csip_key key.pem "
                "--csip_root_cert root.pem",
                "one DER against your own 2030.5 server",
            ),
            Example("dersim sim --without csip -d Batt-3Phase", "a battery with Modbus and pages only"),
            Example(
                "dersim sim --demo -N 20 --duration 60s --report report.html "
                "--fail 'p95(GET DERControlList) < 250ms'",
                "a load test with a report and a threshold",
            ),
            Example("dersim sim --demo --log_level info", "every exchange with the server in the terminal"),
        ),
    ),
    "server": Command(
        "dersim.cli.server",
        "run the companion IEEE 2030.5 server alone",
        RUN,
        (
            Example("dersim server", "on https://127.0.0.1:8443, with the test PKI"),
            Example("dersim server --cycle yes", "with the demo's cycle of controls"),
            Example(
                "dersim server --scenario scenario.yaml",
                "with programs, groups, controls and faults of a scenario file",
            ),
            Example(
                "dersim server --host 0.0.0.0 --registration known", "for other machines, known DERs only"
            ),
        ),
    ),
    "control": Command(
        "dersim.cli.control",
        "publish, cancel and list controls of a companion server",
        RUN,
        (
            Example("dersim control list", "those of the server at http://127.0.0.1:8444"),
            Example(
                "dersim control publish --all --mode opModMaxLimW=50 --duration 5m --wait",
                "for every device, and what each answers",
            ),
            Example(
                "dersim control publish --group 'feeder 7' --curve opModVoltVar='92,44 98,0 102,0 108,-44' "
                "--start +90s --duration 1h",
                "a curve for a group, 90 s from now",
            ),
            Example("dersim control cancel 5C2B8A00", "the one whose mRID begins so"),
        ),
    ),
    "fleet": Command(
        "dersim.fleet_run.command",
        "run thousands of DERs on several processes or a Dask cluster",
        RUN,
        (
            Example("dersim fleet -N 500 --workers 2 --csip_server_ip 192.0.2.5", "on two processes here"),
            Example(
                "dersim fleet -N 5000 --scheduler tls://192.0.2.9:8786 --tls-ca ca.pem --tls-cert me.pem "
                "--tls-key me.key --csip_server_ip 192.0.2.5 --use_test_pki_certs certs --duration 10m",
                "on a Dask cluster, for ten minutes",
            ),
        ),
    ),
    "conformance": Command(
        "dersim.cli.conformance",
        "run the CSIP conformance procedures, and judge them by bytes and power",
        RUN,
        (
            Example("dersim conformance", "our own client, every procedure, in virtual time"),
            Example(
                "dersim conformance --only 'BASIC-02*' --json out.json --junit out.xml", "some, with files"
            ),
            Example(
                "dersim conformance --client-under-test --kit certs --host 0.0.0.0 --port 8443",
                "your client: give it the kit's certificates, PIN 111115 and this address",
            ),
        ),
    ),
    "lab": Command(
        "dersim.cli.lab",
        "serve a page that starts and stops the server and the simulator",
        RUN,
        (Example("dersim lab", "then open http://127.0.0.1:8100"),),
    ),
    "pki": Command(
        "dersim.cli.pki",
        "show a certificate's LFDI and chain, or make a test PKI",
        FILES,
        (
            Example("dersim pki show cert.pem", "LFDI, SFDI and what a peer would refuse"),
            Example("dersim pki create my-pki -n 20", "a CA, a server's pair and 20 DERs' pairs"),
        ),
    ),
    "replay": Command(
        "dersim.cli.replay",
        "run one DER offline through a trajectory of inputs",
        FILES,
        (Example("dersim replay scenario.json trajectory.csv --out out.csv", "P, Q and status of each row"),),
    ),
    "replay-conversation": Command(
        "dersim.cli.replay_conversation",
        "repeat a recorded run without its server, and compare what is sent",
        FILES,
        (
            Example(
                "dersim replay-conversation run.jsonl",
                "of dersim sim --record run.jsonl; exit code 3 where something else is sent",
            ),
            Example(
                "dersim replay-conversation run.jsonl --ignore stateOfChargeStatus --within 5",
                "with a tolerance of 5 s, and without one element",
            ),
        ),
    ),
    "nameplate": Command(
        "dersim.cli.nameplate",
        "read a real inverter's SunSpec registers into a nameplate",
        FILES,
        (
            Example(
                "dersim nameplate from-modbus 192.0.2.7:502 --unit 1 --out inverter.json",
                "its ratings, settings and curves; then: dersim sim -f inverter.json",
            ),
        ),
    ),
    "plugins": Command(
        "dersim.cli.plugins",
        "list the plug-ins with their versions and hooks, or check one",
        HELP,
        (
            Example("dersim plugins", "those that are installed, in calling order"),
            Example("dersim plugins check my-plugin", "the contract test of one, a line per check"),
        ),
    ),
    "doctor": Command(
        "dersim.cli.doctor",
        "find out what keeps a DER from its 2030.5 server",
        HELP,
        (
            Example(
                "dersim doctor --csip_server_ip 192.0.2.5 --csip_cert cert.pem --csip_key key.pem "
                "--csip_root_cert root.pem",
                "key, LFDI, chain, DNS, TCP, TLS, dcap, time, EndDevice and PIN, one line each",
            ),
        ),
    ),
    "bundle": Command(
        "dersim.cli.bundle",
        "pack a redacted zip of a running simulator for a bug report",
        HELP,
        (
            Example(
                "dersim bundle --url http://127.0.0.1:8111 --out bug.zip",
                "versions, flags, log, conversation and states; no PIN, token or private key",
            ),
        ),
    ),
    "completion": Command(
        "dersim.cli.completion",
        "print the completion script of a shell",
        HELP,
        (
            Example('eval "$(dersim completion bash)"', "in ~/.bashrc"),
            Example('eval "$(dersim completion zsh)"', "in ~/.zshrc, after compinit"),
            Example("dersim completion fish | source", "in ~/.config/fish/config.fish"),
        ),
    ),
}

#: Of the column of names in lists of commands.
_WIDTH = max(map(len, COMMANDS)) + 2


def command_parser(name: str, *, more: Callable[[], Iterable[str]] = tuple, **arguments: Any) -> OptionParser:
    """A parser for a command of the list, with its examples and the other commands after the flags.

    more: makes further lines for the help; called only when the help is shown.
    """
    command = COMMANDS[name]
    arguments.setdefault("description", f"{command.doc[0].upper()}{command.doc[1:]}.")
    return _CommandParser(
        prog=f"dersim {name}",
        more=lambda: "\n".join([*more(), *_examples(command.examples), *_others(name)]),
        **arguments,
    )


class _CommandParser(OptionParser):
    """The parser of a command. Those of its own sub-commands are of this class too, with their examples."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"more": self._own_examples, **arguments})

    def _own_examples(self) -> str:
        command = COMMANDS[self.prog.split()[1]]
        own = [each for each in command.examples if each.line.startswith(f"{self.prog} ")]
        return "\n".join(_examples(own)) if own else ""


def usage() -> str:
    """What `dersim --help` prints."""
    lines = [
        "usage: dersim COMMAND [flags]",
        "",
        "A simulator of DERs that speak IEEE 2030.5 (CSIP), SunSpec Modbus, REST and WebSocket,",
        "and a companion IEEE 2030.5 server.",
    ]
    for group in GROUPS:
        rows = [f"  {name:{_WIDTH}}{each.doc}" for name, each in COMMANDS.items() if each.group == group]
        lines += ["", f"{group}:", *rows]
    lines += ["", *_examples(tuple(each.examples[0] for each in COMMANDS.values() if each.group == RUN))]
    return "\n".join([*lines, "dersim COMMAND --help shows the flags and examples of one; dersim --version"])


def _examples(examples: Iterable[Example]) -> list[str]:
    lines = ["examples:"]
    for line, doc in examples:
        lines += [f"  {line}", f"      {doc}"]
    return [*lines, ""]


def _others(name: str) -> list[str]:
    return [
        "other commands:",
        *(f"  dersim {other:{_WIDTH}}{each.doc}" for other, each in COMMANDS.items() if other != name),
    ]
