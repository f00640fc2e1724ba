"""BASIC-004 to 015: one control of each mode over a default, ramp rates, and 24 controls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dersim.conformance.bench import in_words
from dersim.conformance.checks import answers, wire
from dersim.conformance.checks.documents import settings_told
from dersim.conformance.checks.power import above, below, limit, power_factor, var, watts
from dersim.conformance.criteria import READ_BY, is_completed, is_looked_at, is_polled, is_read, rules
from dersim.conformance.fixtures import control_test, three_end_devices
from dersim.conformance.operator import Instruction
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import Stage
from dersim.conformance.window import Expected

#: Section 6.1 of the procedures in plain units: what the default and the control of each test carry.
_VOLTAGE_DEFAULT: dict[str, Any] = {
    "opModHVRTMustTrip": {"curve": [[0.16, 130], [0.16, 120], [13, 120], [13, 110], [100, 110]]},
    "opModHVRTMomentaryCessation": {"curve": [[0, 110], [13, 110]]},
    "opModLVRTMustTrip": {"curve": [[1.5, 0], [1.5, 50], [11, 50], [11, 70], [21, 70], [21, 88], [100, 88]]},
    "opModLVRTMomentaryCessation": {"curve": [[0, 50], [1.5, 50]]},
}
_VOLTAGE_TEST: dict[str, Any] = {
    "opModHVRTMustTrip": {"curve": [[0.16, 120], [0.16, 110], [12, 110], [12, 100], [100, 100]]},
    "opModHVRTMomentaryCessation": {"curve": [[0, 100], [12, 100]]},
    "opModLVRTMustTrip": {"curve": [[1.5, 0], [1.5, 50], [12, 50], [12, 70], [22, 70], [22, 88], [100, 88]]},
    "opModLVRTMomentaryCessation": {"curve": [[0, 60], [1.5, 60]]},
}
_FREQUENCY_DEFAULT: dict[str, Any] = {
    "opModHFRTMustTrip": {"curve": [[0.16, 64], [0.16, 62], [300, 62], [300, 60.5], [400, 60.5]]},
    "opModLFRTMustTrip": {"curve": [[0.16, 53], [0.16, 56.9], [300, 56.9], [300, 58.5], [400, 58.5]]},
}
_FREQUENCY_TEST: dict[str, Any] = {
    "opModHFRTMustTrip": {"curve": [[0.16, 65], [0.16, 61], [280, 61], [280, 60.5], [400, 60.5]]},
    "opModLFRTMustTrip": {"curve": [[0.16, 53], [0.16, 56.9], [270, 56.9], [270, 58.5], [400, 58.5]]},
}
_VOLT_VAR_DEFAULT = {
    "opModVoltVar": {"curve": [[92, 30], [96.7, 0], [103, 0], [107, -30]], "open_loop_s": 10}
}
_VOLT_VAR_TEST = {"opModVoltVar": {"curve": [[91, 40], [95.7, 0], [104, 0], [106, -40]], "open_loop_s": 5}}
_VOLT_WATT_DEFAULT = {"opModVoltWatt": {"curve": [[100, 100], [106, 100], [110, 0]], "y_ref_type": 1}}
_VOLT_WATT_TEST = {"opModVoltWatt": {"curve": [[100, 100], [105, 100], [109, 0]], "y_ref_type": 1}}
_DROOP_DEFAULT = {
    "opModFreqDroop": {"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.05, "k_uf": 0.05, "open_loop_s": 5}
}
_DROOP_TEST = {
    "opModFreqDroop": {"db_of_hz": 0.03, "db_uf_hz": 0.03, "k_of": 0.04, "k_uf": 0.04, "open_loop_s": 6},
    "opModFreqWatt": {"curve": [[59, 100], [59.5, 80], [60.5, 80], [62, 0]], "y_ref_type": 1},
}
_PF_95, _PF_90 = ({"opModFixedPFInjectW": {"pf": pf, "excitation": "inject"}} for pf in (0.95, 0.9))


def _control(  # noqa: PLR0913, RUF100 - a row of the table of tests
    number: str,
    title: str,
    default: Mapping[str, Any] | None,
    test: Mapping[str, Any],
    expected: tuple[Expected, Expected],
    *,
    inputs: Mapping[str, float] | None = None,
    with_lfdi: bool = True,
    curves: int = 0,
    reading: str = "",
    required: str = "CAS",
) -> Procedure:
    """A test of the CTRL skeleton. inputs: moved before the default is judged, so that the modes differ."""

    def set_up(stage: Stage) -> None:
        control_test(stage, default, test, with_lfdi=with_lfdi)
        stage.evidence.facts["curves"] = {"SP": curves}

    moved = inputs is not None
    before, during = expected
    return Procedure(
        f"BASIC-{number}",
        title,
        set_up,
        (
            is_read("SY", "SP"),
            *((Criterion("the curves are fetched", wire.curves_fetched("SP")),) if curves else ()),
            Criterion("the assignments are polled", wire.polled(wire.of_device("/fsa"))),
            *is_polled("SP"),
            *is_looked_at("test"),
            rules("the default rules", before, READ_BY, 120, moved=moved),
            rules("the control is applied", during, 120, 180, settling_s=25, moved=moved),
            rules("the default rules again", before, 180, 230, settling_s=25, moved=moved),
            is_completed("test"),
        ),
        lasts_s=230,
        stimuli=_moving(inputs) if inputs else None,
        by_hand=(Instruction(f"Set at the device: {in_words(inputs)}"),) if inputs else (),
        reading=reading,
        required=required,
    )


def _moving(inputs: Mapping[str, float]) -> Callable[[Stage], Awaitable[None]]:
    async def stimuli(stage: Stage) -> None:
        await stage.until(5)
        stage.move_inputs(**inputs)

    return stimuli


def _basic_004(stage: Stage) -> None:
    control_test(stage, _VOLTAGE_DEFAULT, _VOLTAGE_TEST)
    stage.evidence.facts["curves"] = {"SP": 8}


async def _dips(stage: Stage) -> None:
    """The voltage falls to 0.55 pu for five seconds: only the control's cessation begins there."""
    for start in (70, 150):
        await stage.until(start)
        stage.move_inputs(voltage_pu=0.55)
        await stage.until(start + 5)
        stage.move_inputs(voltage_pu=0.97)


def _basic_005(stage: Stage) -> None:
    control_test(stage, _FREQUENCY_DEFAULT, _FREQUENCY_TEST)
    stage.evidence.facts["curves"] = {"SP": 4}


def _basic_007(stage: Stage) -> None:
    three_end_devices(stage)
    stage.program("SY", 10)
    stage.program("SP", 4, default={"setGradW": 90, "setSoftGradW": 4})


def _basic_015(stage: Stage) -> None:
    three_end_devices(stage)
    outside = stage.group("Group-Z", "non_topology")
    stage.assign(outside)
    stage.program("Z", 20, outside)
    stage.program("TF", 5)
    stage.program("SP", 4, default={"opModFixedPFInjectW": {"pf": 0.98, "excitation": "inject"}})
    for number in range(1, 25):
        stage.control(f"SP {number}", "SP", 120 * number, 60, _PF_90)
    stage.control("TF", "TF", 120, 60, _PF_95)


async def _cancel_the_rest(stage: Stage) -> None:
    await stage.until(190)
    for number in range(2, 25):
        stage.cancel(f"SP {number}")


_SFDI_ONLY = "The EndDevices of this record have the sFDI only; the device must find itself by it."
PROCEDURES = (
    Procedure(
        "BASIC-004",
        "Low and high voltage ride-through",
        _basic_004,
        (
            is_read("SY", "SP"),
            Criterion("the curves are fetched", wire.curves_fetched("SP")),
            *is_polled("SP"),
            *is_looked_at("test"),
            rules("the default does not cease at 0.55 pu", above(10), 70, 75, settling_s=2, moved=True),
            rules("the control ceases at 0.55 pu", below(0), 150, 155, settling_s=2, moved=True),
            is_completed("test"),
        ),
        lasts_s=220,
        least_scale=1.0,
        stimuli=_dips,
        by_hand=(Instruction("At 70 s and at 150 s, when it is called out, set the voltage at the device "
                             "to 0.55 pu for 5 s, and to 0.97 pu again"),),
    ),
    Procedure(
        "BASIC-005",
        "Low and high frequency ride-through",
        _basic_005,
        (
            is_read("SY", "SP"),
            Criterion("the curves are fetched", wire.curves_fetched("SP")),
            *is_polled("SP"),
            *is_looked_at("test"),
            is_completed("test"),
        ),
        lasts_s=220,
        reading="The curves differ in times of minutes only, so the terminals are not asked. yRefType is 0.",
    ),
    _control(
        "006", "Volt-Var", _VOLT_VAR_DEFAULT, _VOLT_VAR_TEST, (var(-22.5), var(-40)),
        inputs={"voltage_pu": 1.06}, curves=2, reading="yRefType is not printed: 2, percent of setMaxVar.",
    ),
    Procedure(
        "BASIC-007",
        "Ramp rates",
        _basic_007,
        (
            is_read("SY", "SP"),
            Criterion("the default's rates are the device's", settings_told(setGradW=9000, setSoftGradW=400)),
            Criterion("no Response", answers.none_at_all),
        ),
        lasts_s=150,
        reading="Judged by setGradW and setSoftGradW of the DERSettings that the device PUTs.",
    ),
    _control(
        "008", "Fixed power factor", _PF_95, _PF_90, (power_factor(0.95), power_factor(0.9)),
    ),
    _control(
        "009", "Connect and disconnect", {"opModEnergize": True},
        {"opModEnergize": True, "opModConnect": True}, (above(50), above(50)),
        reading="As printed both stay true, so nothing opens.",
    ),
    _control(
        "010", "Limit of the active power", {"opModMaxLimW": 50}, {"opModMaxLimW": 60},
        (limit(50), limit(60)), with_lfdi=False, reading=_SFDI_ONLY,
    ),
    _control(
        "011", "Volt-Watt", _VOLT_WATT_DEFAULT, _VOLT_WATT_TEST, (limit(75), limit(50)),
        inputs={"voltage_pu": 1.07}, with_lfdi=False, curves=2, reading=_SFDI_ONLY,
    ),
    _control(
        "012", "Frequency droop and Freq-Watt", _DROOP_DEFAULT, _DROOP_TEST, (limit(84.5), below(79)),
        inputs={"frequency_hz": 60.5}, with_lfdi=False, curves=1,
        reading=f"{_SFDI_ONLY} Dead-bands of 30 mHz instead of the printed 60030 and 59970 (erratum 43).",
    ),
    _control(
        "013", "Active power in percent", {"opModFixedW": 50}, {"opModFixedW": 60},
        (limit(50), limit(60)), with_lfdi=False, reading=_SFDI_ONLY, required="",
    ),
    _control(
        "014", "Active power in watts", {"opModTargetW": 2000}, {"opModTargetW": 3000},
        (watts(2000), watts(3000)), with_lfdi=False, reading=_SFDI_ONLY, required="",
    ),
    Procedure(
        "BASIC-015",
        "24 controls, of which 23 are cancelled",
        _basic_015,
        (
            is_read("SP", "TF"),
            *is_polled("SP", "TF"),
            *is_looked_at("SP 1"),
            rules("the default of SP rules", power_factor(0.98), READ_BY, 120),
            rules("the first control is applied", power_factor(0.9), 120, 180),
            rules("the default of SP rules again", power_factor(0.98), 180, 420),
            is_completed("SP 1"),
            Criterion("the 24th control is received", answers.answered_first("SP 24", 1)),
            *(
                Criterion(f"SP {number}: cancelled, never started", answers.never(f"SP {number}", 2, 3))
                for number in range(2, 25)
            ),
            Criterion("TF: never started", answers.never("TF", 2, 3)),
        ),
        lasts_s=420,
        stimuli=_cancel_the_rest,
        reading="Response 6 to the cancelled controls is tolerated and not demanded.",
    ),
)  # fmt: skip
