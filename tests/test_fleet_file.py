"""Fleet files: what a group says, in one line what is wrong, and a plan that can be cut by DER number."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from dersim.cli import main, sim
from dersim.fleet_file import read_fleet
from dersim.fleet_plan import Churn, CommsLoss, FleetPlan, Group, plan_of_flags
from dersim.yaml_text import FileError

WHOLE = """
defaults:
  server: {host: 192.0.2.5, port: 9443}
  churn: {leaves_per_h: 2, away_s: [60, 600], share: 0.5}
without: [modbus]
groups:
  - name: roofs
    count: 3
    device_type: PV-1Phase
    nameplate: plate.json
    start: "off"
    edition: 2018
    certificates: certs
    inputs:
      dc_profile: sun.csv
      shift_s: 60
      voltage_pu: [1.0, 1.01, 1.02]
      frequency_hz: 60.1
    start_after_s: 10
    spread_s: 20
    comms_loss: {every_s: [600, 900], for_s: 120, share: 0.25, together: true}
  - count: 2
    server: {host: "[2001:db8::1]", tls: false, dcap: /sep/dcap, pin: 111115, check_hostname: true}
    edition: 2023
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "plate.json").write_text("{}")
    (tmp_path / "sun.csv").write_text("t_s,irradiance_w_m2\n0,500\n")
    (tmp_path / "certs").mkdir()
    return tmp_path / "fleet.yaml"


def refused(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(FileError) as caught:
        read_fleet(file)
    return str(caught.value).removeprefix(f"{file}:")


def test_a_fleet_file_is_a_plan_of_numbered_groups(file: Path) -> None:
    file.write_text(WHOLE)
    plan = read_fleet(file, first=11)
    roofs, others = plan.groups
    folder = file.parent
    assert (plan.first, plan.count, plan.numbered, plan.without) == (11, 5, True, ("modbus",))
    assert (roofs.name, roofs.first, roofs.count) == ("roofs", 11, 3)
    assert roofs.flags == {
        "device_type": "PV-1Phase", "nameplate": folder / "plate.json", "start": "off",
        "csip_2018_compat": True, "use_test_pki_certs": folder / "certs", "dc_profile": folder / "sun.csv",
        "csip_server_ip": "192.0.2.5", "csip_server_port": 9443,
    }  # fmt: skip
    assert roofs.constants == {"voltage_pu": (1.0, 1.01, 1.02), "frequency_hz": 60.1}
    assert (roofs.shift_s, [roofs.starts_s(number) for number in (11, 12, 13)]) == (60, [10, 20, 30])
    assert roofs.churn == Churn(share=0.5, leaves_per_h=2, away_s=(60, 600))
    assert roofs.comms_loss == CommsLoss(0.25, (600, 900), (120, 120), together=True)
    assert (others.name, others.first, others.churn) == ("group 2", 14, roofs.churn)
    assert others.flags == {
        "csip_server_ip": "2001:db8::1", "csip_enc": False, "dcap": "/sep/dcap", "csip_pin": 111115,
        "csip_check_hostname": True, "csip_2018_compat": False,
    }  # fmt: skip
    assert plan.files() == (folder / "plate.json", folder / "sun.csv", folder / "certs")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("groups: []", "1: /groups: 0 items, 1 to 1000 are needed"),
        ("groups:\n  - cuont: 3", "2: /groups/0/cuont: cuont is not known; did you mean count? (2 mistakes"),
        ("groups:\n  - name: x", "2: /groups/0: count is missing (how many DERs)"),
        ("groups:\n  - count: 0", "2: /groups/0/count: 0 is outside 1 to 1000000"),
        ("groups:\n- count: 1\n  edition: 2020", "3: /groups/0/edition: 2020 is not one of 2018, 2023"),
        ("groups:\n- count: 1\n  start: off", "3: /groups/0/start: off without quotes is a truth value"),
        ("groups:\n- count: 1\n  nameplate: no.json", "3: /groups/0/nameplate: {}/no.json is not a file; pa"),
        ("groups:\n- count: 1\n  certificates: plate.json", "3: /groups/0/certificates: {}/plate.json is no"),
        ("groups:\n- count: 1\n  inputs: {dc_profile: x}", "3: /groups/0/inputs/dc_profile: {}/x is not a f"),
        ("groups:\n- count: 1\n  inputs: {frequency_hz: 20}", "3: /groups/0/inputs/frequency_hz: 20 is outs"),
        ("groups:\n- count: 1\n  server: {host: a b}", "3: /groups/0/server/host: a host name or an IP addr"),
        ("groups:\n- count: 1\n  server: {pin: 111116}", "3: /groups/0/server/pin: 111116 is not a PIN; its"),
        ("groups:\n- count: 1\n  server: {pin: 0x1}", "3: /groups/0/server/pin: '0x1' is not a whole number"),
        ("defaults:\n  server: {host: a b}\ngroups: [{count: 1}]", "2: /defaults/server/host: a host name o"),
        ("groups: [{count: 1, name: a},\n {count: 1, name: a}]", "2: /groups/1/name: 'a' is the name of a g"),
        ("groups: [{count: 1},\n{count: 1000000}]", "2: /groups/1/count: DER 1000001; the numbers end at 10"),
        ("groups:\n- count: 1\n  churn: {leaves_per_h: 1, away_s: [9, 3]}", "3: /groups/0/churn/away_s: 9 i"),
        ("groups:\n- count: 1\n  comms_loss: {every_s: 60, for_s: 60}", "3: /groups/0/comms_loss/for_s: 60"),
        ("groups:\n- count: 1\n  comms_loss: {every_s: 60}", "3: /groups/0/comms_loss: for_s is missing (or"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_file_line_path_and_what_is_allowed(
    file: Path, text: str, words: str
) -> None:
    assert refused(file, text).startswith(words.format(file.parent))


def plan_of(*counts: int) -> FleetPlan:
    groups, first = [], 1
    for index, count in enumerate(counts):
        groups.append(Group(f"g{index}", first, count, spread_s=60))
        first += count
    return FleetPlan(tuple(groups), 1, first - 1)


def test_a_plan_is_cut_by_number_and_its_ders_stay_the_same() -> None:
    plan = plan_of(3, 4, 5)
    shards = [plan.cut(first, 4) for first in (1, 5, 9)]
    assert [[group.name for group in shard.groups] for shard in shards] == [
        ["g0", "g1"],
        ["g1", "g2"],
        ["g2"],
    ]
    assert [member for shard in shards for member in shard.members()] == list(plan.members())
    again = shards[1].cut(6, 2)
    assert (again.first, again.count, [group.name for group in again.groups]) == (6, 2, ["g1"])
    for first, count in ((0, 2), (11, 3), (5, 0)):
        with pytest.raises(ValueError, match="are not all in"):
            plan.cut(first, count)
    with pytest.raises(KeyError):
        plan.group_of(13)


def test_n_is_the_plan_of_one_group() -> None:
    plan = plan_of_flags(Namespace(first=None, count=4))
    assert (plan.groups, plan.first, plan.count, plan.numbered) == ((Group("", 1, 4),), 1, 4, True)
    assert plan_of_flags(Namespace(first=None, count=None)).numbered is False
    assert plan_of_flags(Namespace(first=9, count=None)).numbers() == range(9, 10)
    options = Namespace(device_type="PV-3Phase")
    assert plan.groups[0].options(options) is options


def test_flags_are_defaults_for_the_groups(file: Path) -> None:
    file.write_text(WHOLE)
    options, registry = sim.configure(
        ["--fleet", str(file), "-d", "Batt-3Phase", "--csip_server_ip", "192.0.2.9"]
    )
    assert (options.count, options.plan.count) == (5, 5)
    assert "modbus" not in registry.frontends
    of = [group.options(options) for group in options.plan.groups]
    assert [each.device_type for each in of] == ["PV-1Phase", "Batt-3Phase"]
    assert [each.csip_server_ip for each in of] == ["192.0.2.5", "2001:db8::1"]
    assert [each.csip_server_port for each in of] == [9443, 8443]


@pytest.mark.parametrize(
    ("text", "flags", "words"),
    [
        ("groups: [{count: 2}]", ["-N", "3"], "-N 3 and --fleet: the file says how many DERs there are; lea"),
        ("groups: [{count: 20000}]", [], "fleet.yaml: 20000 DERs, but one process runs at most 10000; make"),
        ("groups: [{cuont: 2}]", [], "fleet.yaml:1: /groups/0/cuont: cuont is not known; did you mean count"),
        ("groups:\n- count: 2\n  device_type: PV-9", [], "fleet.yaml:3: /groups/0/device_type: "),
        ("plugins: [nope]\ngroups: [{count: 1}]", [], "--plugins: nothing is named 'nope'"),
    ],
)  # fmt: skip
def test_a_fleet_that_cannot_run_is_exit_code_2_and_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, flags: list[str], words: str
) -> None:
    file.write_text(text)
    assert main.main(["sim", "--fleet", str(file), *flags]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    words = words.replace("fleet.yaml", str(file))
    assert err.startswith(f"dersim: {words}")
    assert err.count("\n") == 1
