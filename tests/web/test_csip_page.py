"""The CSIP page shows all that `csip-client` says."""

import re

from tests.interop.processes import ROOT

from dersim.web.api.csip import CsipClientDocument

#: Keys that the page leaves out, and why.
ELSEWHERE = {"clocks": "`clock` is the one that counts for most programs", "devices": "it shows one DER"}


def test_the_csip_page_reads_every_key_of_the_client_document():
    script = (ROOT / "src/dersim/web/static/js/pages/csip.js").read_text()
    read = set(re.findall(r"\bclient\.(\w+)", script))
    for names in re.findall(r"const \{ ([^}]*) \} = client;", script):
        read |= set(re.split(r", ", names))
    assert set(CsipClientDocument.__annotations__) - read == set(ELSEWHERE)
