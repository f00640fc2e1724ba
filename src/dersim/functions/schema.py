"""From a function's declared parameters to an XSD, and `xmlschema` as the judge of both.

A `FunctionType` declares what it takes: per mode, paths, units and ranges. The declaration of a plug-in is
judged when it is loaded, by having `xmlschema` build the schema that follows from it; a range upside down
or a name that cannot be an element then names the plug-in, and not a value months later. In a run the
ranges are checked by `parameters.objection`, which says the same as this schema at a thousandth of its
cost; that the two agree is a test.
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
    """The XSD of a function's parameters: an element per mode, in it one for each path."""
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
    """The built schema. PluginError names the function and what is wrong with its declaration."""
    # Here, for its import takes longer than the whole of a start without it.
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


def judge(schema: XMLSchema10, kind: FunctionType, mode: str, value: ModeValue) -> str:
    """What `xmlschema` says of a value's numbers: "" or the path and the reason."""
    root = ET.Element(f"{{{NAMESPACE}}}{mode}")
    for parameter in kind.parameters.get(mode, ()):
        for _, number in numbers(value, parameter.path):
            child = ET.SubElement(root, f"{{{NAMESPACE}}}{parameter.path or 'value'}")
            child.text = f"{number:.12f}"
    for error in schema.iter_errors(root):
        return f"{error.path}: {error.reason}"
    return ""
