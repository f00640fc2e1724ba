"""CSIP-AUS for dersim: what the plug-in declares.

The schema extensions let the 2030.5 codec read and write the elements of `elements.py`: some have a mode, by
some the DER reports itself. The control functions obey the modes. The profile is what the CSIP client does
beyond IEEE 2030.5.
"""

from argparse import Namespace
from collections.abc import Iterable

from dersim.plugin import CsipProfile, DeviceType, FunctionType, OptionParser, SchemaExtension, hookimpl
from dersim_csip_aus import devices, elements, profile, storage
from dersim_csip_aus.limits import LIMITS, OperatingEnvelope, parameters_of
from dersim_csip_aus.server import add_server_options, register_server_profiles, register_server_resources

__all__ = [
    "adapt_options",
    "add_options",
    "add_server_options",
    "register_control_functions",
    "register_csip_profiles",
    "register_device_types",
    "register_schema_extensions",
    "register_server_profiles",
    "register_server_resources",
]


@hookimpl
def add_options(parser: OptionParser) -> None:
    """The flags of the profile."""
    profile.add_options(parser)


@hookimpl
def adapt_options(options: Namespace, given: frozenset[str]) -> None:
    """The defaults that suit the profile."""
    profile.adapt_options(options, given)


@hookimpl
def register_csip_profiles(options: Namespace) -> Iterable[CsipProfile]:
    """What the CSIP client does beyond IEEE 2030.5."""
    return [profile.profile(options)] if profile.rules(options) else []


@hookimpl
def register_device_types() -> Iterable[DeviceType]:
    """A PV inverter and a battery of 230 V and 50 Hz."""
    return list(devices.device_types())


@hookimpl
def register_schema_extensions(options: Namespace) -> Iterable[SchemaExtension]:
    """The elements of both versions; `--csip_aus_version` says which are written."""
    return elements.declared(getattr(options, "csip_aus_version", None) or elements.DEFAULT_VERSION)


@hookimpl
def register_control_functions() -> Iterable[FunctionType]:
    """One function for the four limits, since they act on the same power, and one for the storage."""
    return [
        FunctionType(
            name="csip-aus-limits",
            modes=LIMITS,
            stage="command",
            make=OperatingEnvelope,
            parameters={mode: parameters_of(mode) for mode in LIMITS},
            doc="export, import, generation and load limits of CSIP-AUS",
        ),
        FunctionType(
            name="csip-aus-storage",
            modes=(storage.TARGET,),
            stage="command",
            make=storage.StorageTarget,
            parameters={storage.TARGET: storage.PARAMETERS},
            check=storage.check,
            suits=storage.has_storage,
            order=15,
            doc="target of the storage of CSIP-AUS",
        ),
    ]
