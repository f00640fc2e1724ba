"""An XSD from a function's declared parameters, used to check the declaration itself.

A `FunctionType` declares paths, units and ranges per mode. A plug-in's declaration is checked at load:
`xmlschema` builds the XSD that follows from it, so a reversed range or an invalid element name is reported
with the plug-in's name at start-up. At run time `parameters.objection` checks the ranges, at a thousandth of
the cost; a test holds that both agree.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from dersim.errors import PluginError
from dersim.functions.contract import FunctionType, Parameter
from dersim.functions.parameters import numbers
from dersim.modes import ModeValue

if TYPE_CHECKING:
    from xmlschema import XMLSchema10

NAMESPACE = "urn:dersim:control-functions"


def xsd_of(kind: FunctionType) -> str:
    """The XSD of a function's parameters: one element per mode, with one child per path."""
    elements = "".join(_mode_xsd(mode, parameters) for mode, parameters in kind.parameters.items())
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}" '
        f'elementFormDefault="qualified">{elements}</xs:schema>'
    )


def _mode_xsd(mode: str, parameters: tuple[Parameter, ...]) -> str:
    children = "".join(_parameter_xsd(parameter) for parameter in parameters)
    return (
        f"<xs:element name={quoteattr(mode)}><xs:complexType><xs:sequence>{children}"
        f"</xs:sequence></xs:complexType></xs:element>"
    )


def _parameter_xsd(parameter: Parameter) -> str:
    said = escape(f"{parameter.unit}; {parameter.clause}. {parameter.doc}")
    return (
        f'<xs:element name={quoteattr(parameter.path or "value")} minOccurs="0" maxOccurs="unbounded">'
        f"<xs:annotation><xs:documentation>{said}</xs:documentation></xs:annotation>"
        f'<xs:simpleType><xs:restriction base="xs:decimal">'
        f'<xs:minInclusive value="{parameter.low:f}"/><xs:maxInclusive value="{parameter.high:f}"/>'
        f"</xs:restriction></xs:simpleType></xs:element>"
    )


def schema_of(kind: FunctionType) -> XMLSchema10:
    """Build the schema. PluginError names the function and the fault in its declaration."""
    # Imported here because it takes longer than the rest of the start-up.
    import xmlschema  # noqa: PLC0415 - slow to import, and seldom needed

    for mode, parameters in kind.parameters.items():
        if mode not in kind.modes:
            raise PluginError(
                f"control function {kind.name}: parameters of {mode}, which is not in its modes"
            )
        for parameter in parameters:
            if not parameter.low <= parameter.high:
                raise PluginError(
                    f"control function {kind.name}: parameter {parameter.path or 'value'} of {mode}: "
                    f"low {parameter.low:g} is above high {parameter.high:g}"
                )
    try:
        return xmlschema.XMLSchema10(xsd_of(kind))
    except (xmlschema.XMLSchemaException, ET.ParseError) as error:
        text = " ".join(str(error).split())[:200]
        raise PluginError(f"control function {kind.name}: its parameters make no schema: {text}") from error


def schema_objection(schema: XMLSchema10, kind: FunctionType, mode: str, value: ModeValue) -> str:
    """Check a value's numbers by `xmlschema`: "" or the path and the reason."""
    root = ET.Element(f"{{{NAMESPACE}}}{mode}")
    for parameter in kind.parameters.get(mode, ()):
        for _, number in numbers(value, parameter.path):
            child = ET.SubElement(root, f"{{{NAMESPACE}}}{parameter.path or 'value'}")
            child.text = f"{number:.12f}"
    for error in schema.iter_errors(root):
        return f"{error.path}: {error.reason}"
    return ""
