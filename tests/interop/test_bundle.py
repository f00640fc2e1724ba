"""`dersim bundle` of a live demo: whole, and without a token, a PIN or a key."""

import json
import subprocess
import sys
import zipfile

import httpx
from tests.interop.processes import eventually, program
from tests.interop.test_secrets import BEARER, FREE_PORTS, TOKEN, WRONG_PIN, secrets_in


def pack(*words, cwd):
    command = [sys.executable, "-m", "dersim", "bundle", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=cwd)


def test_the_whole_zip_tells_no_secret(tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    flags = ("--token", TOKEN, "--csip_pin", WRONG_PIN, "--log_level", "debug", "--pcap", "-N", "2")
    with program("dersim", "sim", "--demo", *FREE_PORTS, *flags) as child:
        url = child.ready()["dashboard"]

        def states():
            answer = httpx.get(f"{url}/api/dersim/csip-client", headers=BEARER, trust_env=False)
            return {each["state"] for each in answer.json()["devices"]}

        eventually("both failed over the PIN", lambda: states() == {"failed"})
        refused = pack("--url", url, cwd=tmp_path)
        packed = pack("--url", url, "--token_file", "token", "--out", "bug.zip", cwd=tmp_path)
    assert (refused.returncode, "a token is needed" in refused.stderr) == (2, True)
    assert (packed.returncode, packed.stderr) == (0, "")
    assert packed.stdout.startswith("bug.zip: 17 documents, ")
    assert "not read" not in packed.stdout
    with zipfile.ZipFile(tmp_path / "bug.zip") as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {name: secrets_in(text) for name, text in texts.items() if secrets_in(text)} == {}
    info = json.loads(texts["server-info.json"])
    assert {info["flags"][name] for name in ("token", "csip_pin")} == {"masked"}
    assert info["flags"]["count"] == 2
    assert info["openssl"].startswith("OpenSSL")
    assert "csip" in {each["name"] for each in json.loads(texts["plugins.json"])["plugins"]}
    assert "<pIN>masked</pIN>" in texts["conversation.jsonl"]
    assert "the Registration's PIN is not the one of --csip_pin" in texts["log.txt"]
    for number in (1, 2):
        for name in ("overview", "setpoints", "csip-client", "inputs", "nameplate"):
            json.loads(texts[f"der-{number}/{name}.json"])
