"""Containerfile and compose.yaml, as far as they can be tried without an image registry.

The slow test carries out the RUN lines in a fresh virtual environment and then runs the services of
compose.yaml with what was installed, health checks included.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml
from tests.interop.processes import ROOT

from dersim.cli.commands import COMMANDS

CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")
STEPS = [
    tuple(line.split(maxsplit=1))
    for line in CONTAINERFILE.replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
TOKEN = "a-token-of-the-test"
#: Tools of the image's system that would change this machine.
STAND_INS = ("useradd", "install")


def arguments(word):
    """The arguments of the steps with this word."""
    return [rest for first, rest in STEPS if first == word]


def command_of(service):
    return service.get("command") or shlex.split(service["entrypoint"][2].split("||")[1])[1:]


def options_of(service):
    """The command of a service as its own option parser reads it."""
    name, *words = command_of(service)
    return COMMANDS[name].make_parser().parse_args(words)


def test_the_image_is_pinned_to_the_slim_python_and_runs_without_root():
    assert arguments("FROM") == ["python:3.12-slim"]
    assert arguments("USER") == ["dersim"]
    assert STEPS.index(("USER", "dersim")) > max(i for i, (word, _) in enumerate(STEPS) if word == "RUN")
    assert arguments("ENTRYPOINT") == ['["dersim"]']


def test_what_is_copied_is_there_and_holds_no_key():
    listed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sources = [word for line in arguments("COPY") for word in line.split()[:-1]]
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in listed, "the build context leaves it out"
    keys = [path for path in (ROOT / "src").rglob("*") if path.suffix in (".pem", ".key")]
    assert keys == []
    assert not re.search(r"(?i)password|secret|PRIVATE", CONTAINERFILE)


def test_no_index_is_named():
    assert "index" not in CONTAINERFILE
    assert not re.search(r"https?://(?!127\.0\.0\.1)", (ROOT / "compose.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_of_each_service_is_one_that_its_parser_takes(name, monkeypatch, tmp_path):
    here = SERVICES[name]
    monkeypatch.setattr("dersim.cli.server._folder", Path)  # made by the service `pki`
    options_of(here)
    assert here["image"] == "dersim"
    assert (ROOT / here["build"]["dockerfile"]).exists()


def test_the_services_find_each_other(monkeypatch):
    monkeypatch.setattr("dersim.cli.server._folder", Path)
    pki, server, simulator = (options_of(SERVICES[name]) for name in ("pki", "server", "simulator"))
    assert simulator.csip_server_ip == "server"
    assert simulator.csip_server_ip in SERVICES
    assert simulator.csip_server_port == server.port
    assert (server.host, server.enc, simulator.csip_enc) == ("0.0.0.0", True, True)
    assert str(pki.folder) == str(server.use_test_pki_certs) == str(simulator.use_test_pki_certs)
    for service in SERVICES.values():
        (volume,) = service["volumes"]
        name, place = volume.split(":")
        assert name in COMPOSE["volumes"]
        assert str(pki.folder).startswith(place)
    assert "--owner dersim " + place in CONTAINERFILE, "its user may write there"


def test_the_published_ports_are_those_that_are_served(monkeypatch):
    monkeypatch.setattr("dersim.cli.server._folder", Path)
    server, simulator = (options_of(SERVICES[name]) for name in ("server", "simulator"))
    served = {
        "server": {server.port},
        "simulator": {simulator.website_port, simulator.csip_website_port, simulator.mb_port},
    }
    for name, ports in served.items():
        published = [entry.split(":") for entry in SERVICES[name]["ports"]]
        assert {host for host, _, _ in published} == {"127.0.0.1"}
        assert {int(inside) for _, _, inside in published} == ports
    exposed = {int(port) for port in arguments("EXPOSE")[0].split()}
    assert exposed == set().union(*served.values())
    assert {simulator.website_ip, simulator.csip_website_ip, simulator.mb_host} == {"0.0.0.0"}


def test_each_service_waits_for_the_one_it_needs():
    assert SERVICES["server"]["depends_on"] == {"pki": {"condition": "service_completed_successfully"}}
    assert SERVICES["simulator"]["depends_on"] == {"server": {"condition": "service_healthy"}}
    for name in ("server", "simulator"):
        kind, program, flag, script = SERVICES[name]["healthcheck"]["test"]
        assert (kind, program, flag) == ("CMD", "python", "-c")
        compile(script, name, "exec")


@pytest.fixture(scope="module")
def installed():
    """A folder with a fresh environment where the RUN lines were carried out, and the calls of stand-ins."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", where / "venv"], check=True)
        build = where / "build"
        for line in arguments("COPY"):
            *sources, target = line.split()
            for source in sources:
                copy(ROOT / source, build / target)
        asked = where / "asked"
        for name in STAND_INS:
            script = where / "venv" / "bin" / name
            script.write_text(f'#!/bin/sh\necho {name} "$@" >>{asked}\n')
            script.chmod(0o755)
        kept = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        environ = {**kept, "PATH": f"{where / 'venv' / 'bin'}:{os.environ['PATH']}"}
        for line in arguments("RUN"):
            subprocess.run(["sh", "-c", line], cwd=build, env=environ, check=True, timeout=1200)
        yield where, environ, asked.read_text()


def copy(source, target):
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


@pytest.mark.slow
def test_the_run_lines_install_what_compose_runs(installed):
    where, environ, asked = installed
    assert asked.splitlines() == [
        "useradd --create-home --uid 10001 dersim",
        "install --directory --owner dersim /pki",
    ]
    pki, server, simulator = (SERVICES[name] for name in ("pki", "server", "simulator"))
    ports = {port: free_port() for port in ("8443", "8444", "8111", "5000", "8502")}

    def here(text):
        """In one machine the services share its loopback, and the volume is a folder."""
        for port, free in ports.items():
            text = re.sub(rf"\b{port}\b", free, text)
        return text.replace("/pki", str(where / "pki")).replace("0.0.0.0", "127.0.0.1")

    (where / "pki").mkdir()
    for _ in range(2):  # the second time it finds the PKI of the first
        script = [*pki["entrypoint"][:2], here(pki["entrypoint"][2])]
        subprocess.run(script, env=environ, cwd=where, check=True, timeout=120)

    def start(service, *more):
        command = command_of(service)
        line = [command[0], *("127.0.0.1" if word == "server" else here(word) for word in command[1:]), *more]
        return subprocess.Popen(
            [where / "venv" / "bin" / "dersim", *line], env=environ | {"DERSIM_TOKEN": TOKEN}, cwd=where
        )

    more = "--website_port", ports["8111"], "--csip_website_port", ports["5000"], "--mb_port", ports["8502"]
    with start(server, "--admin_port", ports["8444"]) as utility:
        try:
            wait_until_healthy(server, here, environ)
            with start(simulator, *more) as ders:
                try:
                    wait_until_healthy(simulator, here, environ | {"DERSIM_TOKEN": TOKEN})
                finally:
                    ders.terminate()
                assert ders.wait(20) == 0
        finally:
            utility.terminate()
        assert utility.wait(20) == 0


def wait_until_healthy(service, here, environ, timeout_s=60):
    _, *words = service["healthcheck"]["test"]
    deadline = time.monotonic() + timeout_s
    command = [here(word) for word in words]
    while subprocess.run(command, env=environ, capture_output=True, check=False).returncode:
        assert time.monotonic() < deadline, "never healthy"
        time.sleep(0.2)


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return str(held.getsockname()[1])
