"""The elements as CSIP-AUS's XSD has them: namespaces, order, contents."""

from argparse import Namespace

import pytest
from dersim_csip_aus import elements, register_control_functions
from lxml import etree

from dersim.csip import der_bodies
from dersim.device import ManualClock
from dersim.ieee2030_5 import Edition, controlbase, decode, encode, extensions
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.plugin.candidates import find
from dersim.plugin.loader import PluginSet
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

NS_12, NS_13 = "https://csipaus.org/ns", "https://csipaus.org/ns/v1.3"


@pytest.fixture(params=["1.2", "1.3"], scope="module")
def version(request):
    """The elements of this run; the next test gets its own."""
    before = [each.declared for each in extensions.registered()]
    for each in before:
        extensions.unregister(each)
    [candidate] = [each for each in find() if each.name == "csip-aus"]
    PluginSet([candidate]).register(Namespace(csip_aus_version=request.param))
    yield request.param
    for each in extensions.registered():
        extensions.unregister(each.declared)
    for each in before:
        extensions.register(each)


def children(parent):
    return [(etree.QName(each).namespace, etree.QName(each).localname) for each in parent]


def foreign(parent):
    return [each for each in children(parent) if each[0] != "urn:ieee:std:2030.5:ns"]


def test_the_limits_stand_in_the_order_import_export_generation_load(version):
    modes = {"opModLoadLimW": 4.0, "opModGenLimW": 3.0, "opModExpLimW": 2.0, "opModImpLimW": 1.0}
    base, _ = controlbase.base_of(modes, lambda curve: "")
    body = encode(r.DefaultDERControl(mRID="0A", DERControlBase=base), Edition.E2018)
    namespace = {"1.2": NS_12, "1.3": NS_13}[version]
    root = etree.fromstring(body)
    [parent] = [each for each in root if etree.QName(each).localname == "DERControlBase"]
    wanted = ["opModImpLimW", "opModExpLimW", "opModGenLimW", "opModLoadLimW"]
    assert children(parent) == [(namespace, name) for name in wanted]
    assert decode(body, strict=True, edition=Edition.E2018).violations == ()


@pytest.mark.parametrize("namespace", [NS_12, NS_13])
@pytest.mark.parametrize("edition", Edition)
def test_both_namespaces_are_read(version, namespace, edition):
    body = encode(r.DefaultDERControl(mRID="0A", DERControlBase=r.DERControlBase(opModConnect=True)), edition)
    element = (
        f'<opModConnect>true</opModConnect><x:opModExpLimW xmlns:x="{namespace}">'
        "<multiplier>1</multiplier><value>150</value></x:opModExpLimW>"
    )
    body = body.replace(b"<opModConnect>true</opModConnect>", element.encode())
    decoded = decode(body)
    assert decoded.violations == ()
    assert controlbase.modes_of(decoded.resource.DERControlBase, {})["opModExpLimW"] == 1500


def battery(charge_pct=None):
    functions = (*FUNCTION_TYPES, *register_control_functions())
    device = make_device(device_type="Batt-1Phase", clock=ManualClock(), functions=functions)
    if charge_pct is not None:
        assert device.setpoints.submit(SetpointChange(SetpointSource.REST, "MinRsvPct", charge_pct))
    return device


def bodies(device):
    modes, plate = device.setpoints.supported_modes, device.nameplate
    return [
        etree.fromstring(encode(body, Edition.E2018))
        for body in (
            der_bodies.capability(plate, modes, Edition.E2018, device),
            der_bodies.settings(plate, device.settings, modes, 0, Edition.E2018, device),
        )
    ]


def test_a_battery_reports_storage_with_1_3_alone(version):
    capability, settings = map(foreign, bodies(battery()))
    if version == "1.2":
        assert capability == [(NS_12, "doeModesSupported")]
        assert settings == [(NS_12, "doeModesEnabled")]
    else:
        assert capability == [(NS_13, "doeModesSupported"), (NS_13, "vppModesSupported")]
        assert settings == [(NS_13, name) for name in ("doeModesEnabled", "vppModesEnabled", "setMinWh")]


def test_the_reserve_is_that_in_force(version):
    device = battery(charge_pct=30.0)
    told = elements.min_wh(device)
    assert told == pytest.approx(0.3 * device.settings.setMaxWh)
    if version == "1.3":
        [value] = [each for each in bodies(device)[1] if etree.QName(each).localname == "setMinWh"]
        assert int(value[1].text) * 10 ** int(value[0].text) == pytest.approx(told, rel=1e-3)


def test_a_pv_has_no_storage_to_report(version):
    device = make_device(clock=ManualClock(), functions=(*FUNCTION_TYPES, *register_control_functions()))
    names = [name for body in bodies(device) for _, name in foreign(body)]
    assert names == ["doeModesSupported", "doeModesEnabled"]
    assert "opModStorageTargetW" not in device.setpoints.supported_modes


@pytest.mark.parametrize("edition", Edition)
def test_a_connection_point_is_a_document(version, edition):
    namespace = elements.NAMESPACES[version]
    point = Extra(namespace, "ConnectionPoint", {"href": "/edev/1/cp", "connectionPointId": "41020000002"})
    body = encode(point, edition)
    assert (
        body
        == (
            f'<ConnectionPoint xmlns="{namespace}" href="/edev/1/cp">'
            "<connectionPointId>41020000002</connectionPointId></ConnectionPoint>"
        ).encode()
    )
    assert decode(body, Extra, strict=True, edition=edition).resource == point


def test_the_link_to_it_is_read(version):
    namespace = elements.NAMESPACES[version]
    device = r.EndDevice(sFDI=1, changedTime=1, enabled=True)
    body = encode(device, Edition.E2018).replace(
        b"</EndDevice>", f'<c:ConnectionPointLink xmlns:c="{namespace}" href="/cp"/></EndDevice>'.encode()
    )
    decoded = decode(body, r.EndDevice, strict=True, edition=Edition.E2018)
    assert decoded.resource.extra == (Extra(namespace, "ConnectionPointLink", r.Link(href="/cp")),)


def test_a_target_of_the_storage_is_held_and_refused_beyond_the_ratings():
    device = battery()
    device.step(0.0)
    charge_w = device.nameplate.rtgMaxChargeRateW

    def wish(value):
        [outcome] = device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModStorageTargetW", value))
        for second in range(1, 120):
            device.step(float(second))
        return outcome.verdict.name

    assert wish(-1000.0) == "ACCEPTED"
    assert device.state.p_w == pytest.approx(-1000)
    assert wish(-2 * charge_w) != "ACCEPTED"
