"""Which server the DERs of these tests speak to: head_end.py, started for each test."""

import re
import sys
from pathlib import Path

import pytest


@pytest.fixture
def head_end_program(dersim_program, dersim_certificates):
    """The head-end as a process on a free port, with a certificate of the test PKI."""
    server, root = dersim_certificates.server, dersim_certificates.root
    path = Path(__file__).with_name("head_end.py")
    return dersim_program(sys.executable, path, "0", server.cert, server.key, root)


@pytest.fixture
def dersim_head_end(head_end_program):
    """Takes the place of the companion server: `der`, `fleet` and `conversation` are about this URL."""
    line = head_end_program.wait_line("listening on port")
    return f"https://127.0.0.1:{re.search(r'[0-9]+', line)[0]}/dcap"
