"""An exchange as a command of curl."""

import json
import shlex

from dersim.exchanges.conversation import Conversation
from dersim.plugin.services import ConversationService

HEADERS = (("Host", "s"), ("Accept", "application/sep+xml"), ("Content-Length", "9"))
ODD = b"<a b='c'>$HOME `id` \\ \"d\" \n<pIN>123455</pIN></a>"


async def command_of(open_site, method="GET", url="https://s:8443/edev?s=0&l=9", body=b"", **flags):
    async with open_site(**flags) as site:
        held = Conversation()
        site.context.services.offer(ConversationService, held)
        held.add(1_780_000_000.0, 1, method, url, (HEADERS, body), (200, (), b""), "ok", 0.01, cause="test")
        return json.loads((await site("GET", "/api/dersim/conversation/exchange?id=1")).body)["curl"]


async def test_the_command_names_the_files_of_this_run_and_quotes_them(open_site):
    words = shlex.split(await command_of(open_site))
    assert words[:2] == ["curl", "-i"]
    assert words[words.index("--cert") + 1] == "/etc/der's own/cert.pem"
    assert words[words.index("--key") + 1] == "/etc/der's own/key.pem"
    assert words[words.index("--cacert") + 1] == "/etc/der's own/root.pem"
    assert "AES128-CCM8" in words[words.index("--ciphers") + 1]
    assert words[words.index("-X") :] == [
        "-X",
        "GET",
        "https://s:8443/edev?s=0&l=9",
        "-H",
        HEADERS[1][0] + ": " + HEADERS[1][1],
    ]


async def test_a_body_is_quoted_for_sh_and_its_pin_masked(open_site):
    words = shlex.split(await command_of(open_site, "POST", body=ODD))
    assert words[-2:] == ["--data-raw", ODD.replace(b"123455", b"masked").decode()]


async def test_plain_http_takes_no_certificates(open_site):
    words = shlex.split(await command_of(open_site, url="http://s:8080/dcap"))
    assert not {"--cert", "--ciphers", "-k"} & set(words)


async def test_host_names_are_checked_where_the_client_checks_them(open_site):
    assert "-k" in shlex.split(await command_of(open_site))
    assert "-k" not in shlex.split(await command_of(open_site, csip_check_hostname=True))
