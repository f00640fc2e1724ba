"""Installed, and nothing else: the port, the registers over REST and the page of one running DER."""

import socket

import httpx


def post(running, path, body):
    answer = httpx.post(f"{running.api}/{path}", json=body, timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def say(address, *lines):
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer, peer.makefile("rw") as file:
        answers = []
        for line in lines:
            file.write(line + "\n")
            file.flush()
            answers.append(file.readline().strip())
        return answers


def test_the_limit_by_line_and_by_register_and_its_page(demo):
    flags = ("--plugins", "csip,rest,modbus,site-meter", "--mb_port", "0", "--site_port", "0")
    with demo(*flags) as running:
        running.until("the sun", lambda: running.power_w() > 3000)
        assert say(running.urls["site_meter"], "limit 1000", "load 500") == ["ok", "ok"]
        running.until("1.5 kW", lambda: abs(running.power_w() - 1500) < 1)
        points = running.see("grid-support?model=64910")["points"]
        assert {name: points[name] for name in ("LimEna", "LimW", "LoadW")} == {
            "LimEna": 1,
            "LimW": 1000,
            "LoadW": 500,
        }
        post(running, "grid-support", {"model": 64910, "points": {"LimW": 2000}})
        running.until("2.5 kW", lambda: abs(running.power_w() - 2500) < 1)
        assert say(running.urls["site_meter"], "read") == ["limit 2000 load 500 export 2000"]
        page = httpx.get(f"{running.urls['dashboard']}/panels/site-meter.js", timeout=10, trust_env=False)
        assert "export function mount" in page.text
