"""The state of the lab: the settings of both programs, their child processes, and a signal for changes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trio

from dersim.errors import ConfigError
from dersim.lab.child import MASK, Child, Line, State, explain_exit
from dersim.lab.fields import Field
from dersim.lab.programs import PROGRAMS, SERVER, SIMULATOR, TEST_PKI, Program, Programs, uses_lab_server
from dersim.options import LAB_VARIABLE
from dersim.timestamps import rfc3339

#: Shown in the form where the lab itself chooses certificates or PIN.
USING_DEFAULT = "<< Using Default >>"


class LabState:
    """Settings and children of both programs. test_pki: the folder of the bundled test certificates."""

    def __init__(self, programs: Programs, test_pki: Path) -> None:
        self.version = 0
        self.programs = programs
        self.children = {key: Child(self._tell) for key in PROGRAMS}
        self.url = ""  # of the lab's own page, once it listens
        self._test_pki = str(test_pki)
        self._chosen: dict[str, dict[str, str]] = {key: {} for key in PROGRAMS}
        self._news = trio.Event()

    def _tell(self) -> None:
        self.version += 1
        self._news.set()
        self._news = trio.Event()

    async def wait_news(self, version: int, timeout_s: float) -> None:
        """Return once there is anything newer than `version`, or when the time is up."""
        with trio.move_on_after(timeout_s):
            while self.version == version:
                await self._news.wait()

    # -- settings

    def form(self, program: Program) -> dict[str, Any]:
        """The settings form: groups of fields with their values, and the command line that they make."""
        groups: dict[str, list[dict[str, Any]]] = {}
        chosen, defaults = self._chosen[program.key], self._defaults(program)
        for field in self.programs.fields(program):
            groups.setdefault(field.group, []).append(_field_document(program, field, chosen, defaults))
        return {
            "program": program.key,
            "title": program.title,
            "encrypt": program.encrypt,
            "groups": [{"title": title, "fields": fields} for title, fields in groups.items()],
            "command": self.command(program),
        }

    def choose(self, program: Program, values: Mapping[str, str | None]) -> None:
        """Store a filled form; a flag that is not in it goes back to its default.

        None keeps the stored value, because a form does not show secrets. ConfigError names the flag whose
        value is refused; then nothing has changed.
        """
        before = self._chosen[program.key]
        wanted = {
            name: before.get(name, "") if text is None else text.strip() for name, text in values.items()
        }
        kept: dict[str, str] = {}
        for _ in range(2):  # twice, because naming a server changes the defaults
            defaults = self._defaults(program, kept)
            kept = {name: text for name, text in wanted.items() if text and text != defaults[name]}
        self.programs.check(program, self.programs.words(program, kept, self._given(program, kept)))
        self._chosen[program.key] = kept
        self._tell()

    def words(self, program: Program) -> list[str]:
        """The command line that the program is started with."""
        return self.programs.words(program, self._chosen[program.key], self._given(program))

    def command(self, program: Program) -> str:
        """The command line for people, without secrets."""
        hidden = dict.fromkeys(self._secrets_by_flag(program), MASK)
        words = self.programs.words(program, {**self._chosen[program.key], **hidden}, self._given(program))
        return " ".join(
            ["dersim", program.command, *(word if MASK in word else shlex.quote(word) for word in words)]
        )

    def secrets(self, program: Program) -> set[str]:
        """The values of the command line that must not be shown."""
        return set(self._secrets_by_flag(program).values())

    def _secrets_by_flag(self, program: Program) -> dict[str, str]:
        """The secrets on the command line; one that is a flag's own default is no secret and not there."""
        said = {**self._given(program), **self._chosen[program.key]}
        return {
            field.name: said[field.name]
            for field in self.programs.fields(program)
            if field.kind == "secret" and said.get(field.name, field.default) != field.default
        }

    def _given(self, program: Program, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
        """The flags that the lab sets unless the user does."""
        chosen = self._chosen[program.key] if chosen is None else chosen
        out = {TEST_PKI: self._test_pki} if self.programs.wants_test_pki(program, chosen) else {}
        if program is SIMULATOR and uses_lab_server(chosen):
            out |= self.programs.simulator_defaults(self._chosen[SERVER.key], self._server_address())
        return out

    def _defaults(self, program: Program, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
        given = self._given(program, chosen)
        return {field.name: given.get(field.name, field.default) for field in self.programs.fields(program)}

    def _server_address(self) -> tuple[str, str] | None:
        url = self.children[SERVER.key].addresses.get("utility")
        if url is None:
            return None
        parts = urlsplit(url)
        return parts.hostname or "", str(parts.port)

    # -- children

    async def start(self, program: Program, nursery: trio.Nursery) -> None:
        """Start it; ConfigError where it is up already, or where its settings are no longer valid."""
        child = self.children[program.key]
        if child.is_up:
            raise ConfigError(f"{program.title} is already running")
        line = self.words(program)
        self.programs.check(program, line)
        said = {**self._given(program), **self._chosen[program.key]}
        secret = {name: self.programs.value(program, said, name) for name in program.secrets}
        environment = {program.secrets[name]: text for name, text in secret.items() if text}
        if self.url:
            environment[LAB_VARIABLE] = self.url
        open_ = {name: text for name, text in said.items() if name not in secret}
        argv = program.argv(self.programs.words(program, open_, {}))
        await nursery.start(child.run, argv, self.command(program), self.secrets(program), environment)

    async def stop_all(self) -> None:
        """Stop both at the same time and wait until they have ended."""
        async with trio.open_nursery() as nursery:
            for child in self.children.values():
                nursery.start_soon(child.stop)

    def snapshot(self, after: Mapping[str, int]) -> dict[str, Any]:
        """The status of both, with the log lines after those ids."""
        return {
            "version": self.version,
            "programs": [self._program_document(each, after.get(each.key, 0)) for each in PROGRAMS.values()],
            "both_run": all(child.state is State.RUNNING for child in self.children.values()),
            "advice": self._advice(),
        }

    def _program_document(self, program: Program, after: int) -> dict[str, Any]:
        child = self.children[program.key]
        code = child.exit_code
        return {
            "program": program.key,
            "title": program.title,
            "state": child.state.value,
            "pid": child.pid,
            "started": None if child.started_s is None else rfc3339(child.started_s),
            "exit_code": code,
            "exit_text": None if code is None else explain_exit(code),
            "addresses": dict(child.addresses),
            "command": child.command if child.is_up else self.command(program),
            "log": [_line_document(line) for line in child.lines(after)],
        }

    def _advice(self) -> list[str]:
        out: list[str] = []
        server, simulator = self._chosen[SERVER.key], self._chosen[SIMULATOR.key]
        if not uses_lab_server(simulator):
            return out
        encrypted = self.programs.value(SERVER, server, SERVER.encrypt)
        if encrypted != self.programs.value(SIMULATOR, simulator, SIMULATOR.encrypt):
            out.append(
                "One of the two encrypts and the other does not: they will not understand each other. "
                "Set Encrypt IEEE 2030.5 alike in both."
            )
        elif self.children[SIMULATOR.key].is_up and not self.children[SERVER.key].is_up:
            out.append("The DER Simulator looks for the IEEE 2030.5 Server, which is not running. Start it.")
        return out


def _field_document(
    program: Program, field: Field, chosen: Mapping[str, str], defaults: Mapping[str, str]
) -> dict[str, Any]:
    certificate = field.name in (*program.certificates, TEST_PKI)
    given = certificate or field.name == program.pin
    default = "" if given or field.kind == "secret" else defaults[field.name]
    secret_set = field.kind == "secret" and field.name in chosen
    blank = "set; leave blank to keep it" if secret_set else USING_DEFAULT if given else "not set"
    return {
        "name": field.name,
        "flags": list(field.flags),
        "label": field.label,
        "help": field.help,
        "kind": field.kind,
        "choices": list(field.choices),
        "default": default,
        "value": "" if field.kind == "secret" else chosen.get(field.name, default),
        "is_set": secret_set,
        # The page shows it where encryption is on.
        "certificate": certificate,
        "placeholder": blank,
    }


def _line_document(line: Line) -> dict[str, Any]:
    return {"id": line.id, "time": rfc3339(line.time_s), "stream": line.stream, "text": line.text}
