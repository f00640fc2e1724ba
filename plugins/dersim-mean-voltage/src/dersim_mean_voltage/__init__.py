"""Over-voltage protection by the ten-minute mean: what the plug-in declares."""

from collections.abc import Iterable

from dersim.plugin import FunctionType, ModeSpec, Parameter, SchemaExtension, hookimpl
from dersim_mean_voltage.protection import MODE, MeanVoltage

_LOW, _HIGH = 100.0, 120.0


@hookimpl
def register_schema_extensions() -> Iterable[SchemaExtension]:
    """The mode alone: no document of 2030.5 carries it."""
    spec = ModeSpec(MODE, "number", "%", low=_LOW, high=_HIGH, local=True)
    return [SchemaExtension("urn:dersim:mean-voltage", MODE, (), spec, "UInt16")]


@hookimpl
def register_control_functions() -> Iterable[FunctionType]:
    """The protection; it acts with and without a setting."""
    return [
        FunctionType(
            name="mean-voltage",
            modes=(MODE,),
            stage="protect",
            make=MeanVoltage,
            parameters={MODE: (Parameter("", "%", _LOW, _HIGH, "EN 50549-1 4.9.2.3; AS/NZS 4777.2"),)},
            standing=True,
            order=12,
            doc="trip on the ten-minute mean of the voltage",
        )
    ]
