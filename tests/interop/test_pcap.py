"""`dersim sim --pcap`: the export of a running simulator decrypts with the secrets in it."""

import httpx
from tests.http11 import captures
from tests.interop.processes import eventually, get_json, program
from tests.interop.test_demo import NO_PORTS

FLAGS = ("--csip_server_port", "0", "--admin_port", "0", *NO_PORTS)


def both_connected(api):
    found = get_json(f"{api}/csip-client")["devices"]
    return [each["state"] for each in found] == ["connected"] * 2


def test_the_export_of_two_ders_shows_their_requests_in_plain():
    with program("dersim", "sim", "--demo", "--pcap", "-N", "2", *FLAGS) as child:
        ready = child.ready()
        api = ready["dashboard"] + "/api/dersim"
        eventually("both connected", lambda: both_connected(api))
        assert get_json(f"{api}/conversation")["pcap"] is True
        answer = httpx.get(f"{api}/conversation/export.pcapng", trust_env=False)
        metrics = httpx.get(ready["dashboard"] + "/metrics", trust_env=False).text
    capture = captures.read(answer.content)
    clients = [each.source for each in capture.packets if each.flags == captures.SYN]
    host, port = ready["utility"].removeprefix("https://").split(":")
    assert len(clients) >= 2
    for client in clients:
        sent, received, _ = captures.decrypted(capture, client, (host, int(port)))
        assert sent.startswith(b"GET /dcap HTTP/1.1\r\n")
        assert b"<pIN>111115</pIN>" in received
    assert 'dersim_buffer_bytes{buffer="csip_records"}' in metrics


def test_without_the_flag_the_answer_says_what_to_do():
    with program("dersim", "sim", *NO_PORTS, "--csip_client_enable", "no") as child:
        api = child.ready()["dashboard"] + "/api/dersim"
        answer = httpx.get(f"{api}/conversation/export.pcapng", trust_env=False)
        offered = get_json(f"{api}/conversation")["pcap"]
    assert (answer.status_code, offered) == (409, False)
    assert "--pcap" in answer.json()["hint"]
