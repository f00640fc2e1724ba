"""The form is the command line: nothing lacks, nothing is told twice, and it reads back."""

import argparse
from pathlib import Path

import pytest

from dersim.cli.lab import make_programs
from dersim.lab.fields import fields_of, words_of
from dersim.lab.programs import SERVER, SIMULATOR, TEST_PKI
from dersim.options import OptionParser, number, port, yes_no

PROGRAMS = make_programs()


@pytest.fixture
def parser():
    parser = OptionParser(prog="it")
    group = parser.add_argument_group("a group")
    group.add_argument("--csip_server_ip", "-ip", default="127.0.0.1", help="where; 100 %% sure")
    group.add_argument("-wp", "--website_port", type=port, default=8111)
    group.add_argument("--csip_enc", type=yes_no, default=True)
    group.add_argument("--rate", type=number(0, 9), default=1.0)
    group.add_argument("--offset", type=number(-9, 9), default=0.0)
    group.add_argument("--names", type=lambda text: tuple(text.split(",")), default=("a", "b"))
    group.add_argument("--strict", action="store_true")
    group.add_argument("--kind", choices=("x", "y"), default="x")
    group.add_argument("--file", type=Path)
    group.add_argument("--csip_pin", type=int, default=111115)
    group.add_argument("-N", dest="count", type=int, default=1)
    return parser


def test_a_field_tells_what_the_parser_declares(parser):
    fields = {field.name: field for field in fields_of(parser)}
    ip = fields["--csip_server_ip"]
    assert ip.flags == ("--csip_server_ip", "-ip")
    assert (ip.group, ip.label, ip.help) == ("a group", "Server IP", "where; 100 % sure")
    assert (ip.kind, ip.default) == ("text", "127.0.0.1")
    assert fields["--website_port"].flags == ("-wp", "--website_port")
    assert {name: (field.kind, field.default) for name, field in fields.items()} == {
        "--csip_server_ip": ("text", "127.0.0.1"),
        "--website_port": ("number", "8111"),
        "--csip_enc": ("yes_no", "yes"),
        "--rate": ("number", "1"),
        "--offset": ("number", "0"),
        "--names": ("text", "a,b"),
        "--strict": ("switch", "no"),
        "--kind": ("choice", "x"),
        "--file": ("text", ""),
        "--csip_pin": ("secret", "111115"),
        "-N": ("number", "1"),
    }
    assert fields["--kind"].choices == ("x", "y")
    assert fields["--csip_enc"].label == "Encrypt IEEE 2030.5"


def test_a_filled_form_is_a_command_line_that_means_the_same(parser):
    fields = fields_of(parser)
    values = {
        "--csip_server_ip": "10.0.0.1", "--website_port": "0", "--csip_enc": "no", "--rate": "2.5",
        "--offset": "-3", "--names": "c", "--strict": "yes", "--kind": "y", "--file": "-odd name",
        "--csip_pin": "123455", "-N": "3",
    }  # fmt: skip
    assert parser.parse_args(words_of(fields, values)) == argparse.Namespace(
        csip_server_ip="10.0.0.1", website_port=0, csip_enc=False, rate=2.5, offset=-3.0, names=("c",),
        strict=True, kind="y", file=Path("-odd name"), csip_pin=123455, count=3,
    )  # fmt: skip


def test_defaults_need_no_words(parser):
    fields = fields_of(parser)
    assert words_of(fields, {}) == []
    assert words_of(fields, {field.name: field.default for field in fields}) == []


@pytest.mark.parametrize("program", [SERVER, SIMULATOR], ids=lambda program: program.key)
def test_every_flag_of_both_programs_is_in_its_form(program):
    spelled = {flag for field in PROGRAMS.fields(program) for flag in field.flags}
    assert spelled == set(PROGRAMS.parser(program).flags) - {"-h", "--help", *program.without}


@pytest.mark.parametrize("program", [SERVER, SIMULATOR], ids=lambda program: program.key)
def test_the_flags_that_have_a_part_in_the_pairing_exist(program):
    names = {field.name for field in PROGRAMS.fields(program)}
    assert {program.encrypt, *program.certificates, TEST_PKI, program.pin} <= names
    assert {program.host, program.port} <= names
    assert PROGRAMS.field(program, program.encrypt).label == "Encrypt IEEE 2030.5"
    assert PROGRAMS.field(program, program.pin).kind == "secret"


def test_every_csip_knob_of_the_users_page_is_in_the_simulators_form():
    spelled = {flag for field in PROGRAMS.fields(SIMULATOR) for flag in field.flags}
    assert {
        "--csip_client_enable", "-csip_enable", "--csip_server_ip", "-csip_serv", "--csip_server_port",
        "-csip_port", "--csip_enc", "-ce", "--csip_cert", "-cc", "--csip_key", "-ck",
        "--csip_root_cert", "-cr", "--dcap", "--use_test_pki_certs", "--csip-2018-compat",
        "--csip_website_ip", "--csip_website_port",
    } <= spelled  # fmt: skip
