"""`dersim bundle`: what it says where there is nothing to pack, and what it leaves out."""

import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from dersim.cli import bundle, main
from dersim.cli.redaction import redacted

INFO = {"name": "dersim", "version": "0", "devices": 22}


class _Answers(BaseHTTPRequestHandler):
    documents: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_GET(self):
        status, body = self.documents.get(self.path, (200, b"{}"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def serve():
    """`serve(documents) -> url`: a server with a status and a body for each path, else 200 and {}."""
    started = []

    def start(documents):
        handler = type("Answers", (_Answers,), {"documents": documents})
        server = HTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


def run(capsys, *words):
    code = main.main(["bundle", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def server_info(status=200, info=INFO):
    return {"/api/dersim/server-info": (status, json.dumps(info).encode())}


def test_what_cannot_be_read_is_listed_in_the_zip_and_on_the_terminal(capsys, serve, tmp_path):
    url = serve({**server_info(), "/metrics": (500, b""), "/api/dersim/inputs?device=2": (503, b"")})
    out = tmp_path / "b.zip"
    code, said, _ = run(capsys, "--url", url, "--out", out)
    with zipfile.ZipFile(out) as archive:
        names, contents = archive.namelist(), json.loads(archive.read("bundle.json"))
    assert code == 0
    assert said.count("\n") == 1
    assert "/metrics (answered 500), /api/dersim/inputs?device=2 (answered 503)" in said
    assert contents["not_read"] == {
        "/metrics": "answered 500",
        "/api/dersim/inputs?device=2": "answered 503",
    }
    assert contents["files"] == sorted(set(names) - {"README.txt", "bundle.json"})
    assert "metrics.txt" not in names
    assert {"der-1/overview.json", "der-20/nameplate.json"} <= set(names)
    assert "der-21/overview.json" not in names


def test_the_documents_are_read_by_the_ders_own_numbers(capsys, serve, tmp_path):
    url = serve(server_info(info={**INFO, "devices": 2, "first_device": 501}))
    assert run(capsys, "--url", url, "--out", tmp_path / "b.zip")[0] == 0
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        folders = {name.split("/")[0] for name in archive.namelist() if name.startswith("der-")}
    assert folders == {"der-501", "der-502"}


@pytest.mark.parametrize(
    ("documents", "code", "line"),
    [
        (server_info(401), 2, "a token is needed"),
        (server_info(info={"name": "other"}), 1, "is not the dashboard of a dersim"),
        ({}, 1, "is not the dashboard of a dersim"),
        ({"/api/dersim/server-info": (200, b"[1]")}, 1, "is not the dashboard of a dersim"),
    ],
)
def test_what_is_no_simulator_is_one_line(capsys, serve, tmp_path, documents, code, line):
    found, out, err = run(capsys, "--url", serve(documents), "--out", tmp_path / "b.zip")
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert line in err
    assert not (tmp_path / "b.zip").exists()


def test_an_answer_nested_without_end_is_one_line(capsys, serve):
    url = serve({"/api/dersim/server-info": (200, b"[" * 200_000)})
    code, _, err = run(capsys, "--url", url)
    assert (code, err) == (
        1,
        f"dersim: {url}: what answers there is not the dashboard of a dersim; give --url\n",
    )


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("_MOST_BYTES", 1 << 20, "more than 1 MiB"), ("_LONGEST_S", -1.0, "not complete after -1 s")],
)
def test_an_answer_without_end_is_left(capsys, serve, tmp_path, monkeypatch, name, value, why):
    url = serve({**server_info(), "/metrics": (200, b"x" * (3 << 20))})
    monkeypatch.setattr(bundle, "_greet", lambda *_: INFO)
    monkeypatch.setattr(bundle, name, value)
    packed = bundle.collect(url, None)
    assert packed.not_read["/metrics"] == why


def test_an_interrupted_command_says_so_and_leaves_no_file(capsys, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(bundle, "redacted", interrupted)
    monkeypatch.setattr(bundle, "collect", lambda *_: bundle.Packed({}, {}))
    out = tmp_path / "b.zip"
    assert run(capsys, "--out", out) == (1, "", "dersim: interrupted before the end\n")
    assert not out.exists()


def test_nobody_there_is_exit_code_1_and_says_where_to_look(capsys):
    code, _, err = run(capsys, "--url", "http://127.0.0.1:1")
    assert code == 1
    assert err.startswith("dersim: http://127.0.0.1:1: connection refused; is the simulator running there?")


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8111", "http://", "http://[::1"])
def test_a_url_that_is_none_is_exit_code_2(capsys, url):
    code, _, err = run(capsys, "--url", url)
    assert (code, err.count("\n")) == (2, 1)
    assert "--url" in err


def test_a_file_that_cannot_be_written_is_exit_code_2(capsys, serve, tmp_path):
    code, _, err = run(capsys, "--url", serve(server_info()), "--out", tmp_path / "no" / "b.zip")
    assert code == 2
    assert "there is no folder" in err
    assert "give a file that can be written" in err


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(["bundle", "--help"])
    assert ended.value.code == 0
    assert "dersim bundle --url http://127.0.0.1:8111 --out bug.zip" in capsys.readouterr().out


KEY = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEE\\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<pIN>123455</pIN>", "<pIN>masked</pIN>"),
        ("<ns:pIN a='1'>123455</ns:pIN>", "<ns:pIN a='1'>masked</ns:pIN>"),
        ('{"pin": 123455, "csip_pin":"123455"}', '{"pin": masked, "csip_pin":"masked"}'),
        ("--csip_pin 123455 --pin=123455", "--csip_pin masked --pin=masked"),
        ("the PIN 123455 is wrong", "the PIN masked is wrong"),
        ("PIN verified, 2 program(s)", "PIN verified, 2 program(s)"),
        ("GET /?token=abc-123&x=1", "GET /?token=masked&x=1"),
        ("Authorization: Bearer abc.123", "Authorization: Bearer masked"),
        ("my own-secret", "my masked"),
        (f"a {KEY} b", "a masked b"),
        (KEY.replace("\\n", "\n"), "masked"),
        (KEY.partition("-----END")[0], "masked"),
        ('"power_kw": 123455.0', '"power_kw": 123455.0'),
        ("<pIN><![CDATA[123455]]></pIN>", "<pIN><![CDATA[masked]]></pIN>"),
        ("<pIN>&#49;23455</pIN>", "<pIN>masked</pIN>"),
        ("<a pIN='123455'/>", "<a pIN='masked'/>"),
    ],
)
def test_secrets_are_found_by_their_form(text, left):
    assert redacted(text, ["own-secret"]) == left
