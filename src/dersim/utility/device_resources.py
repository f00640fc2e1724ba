"""The documents that plug-ins have added to the EndDevices, and to the server as a whole.

A document of an EndDevice is kept as its members by name. The client, the operator and a scenario set it by
the same check. It is served at `/edev/k/NAME`, and EndDevice has a link to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from dersim.errors import ConfigError, LocalProtocolError
from dersim.ieee2030_5 import extensions, wiretext
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra, Simple
from dersim.plugin.server_parts import DeviceResource
from dersim.suggestions import hint
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.refusal import RequestRefused, not_found
from dersim.utility.request_context import Answer, Document, RequestContext
from dersim.utility.routing import Route
from dersim.utility.scenario.plan import DevicePlan


def find(head_end: HeadEnd, name: str) -> DeviceResource:
    """The resource of this name; ConfigError says which there are."""
    known = {each.name: each for each in head_end.parts.resources}
    if name not in known:
        which = hint(name, known) if known else "no plug-in of this server has added one"
        raise ConfigError(f"there is no device resource {name[:40]!r}; {which}")
    return known[name]


def check(resource: DeviceResource, values: Mapping[str, Any]) -> None:
    """ConfigError for members that the resource does not have, or whose values it does not take."""
    members = [name for name, _ in members_of(resource)]
    if unknown := sorted(set(values) - set(members)):
        raise ConfigError(f"{resource.name}: {unknown[0][:40]!r} is no member; {hint(unknown[0], members)}")
    for name, simple in members_of(resource):
        if name not in values:
            raise ConfigError(f"{resource.name}: {name} is missing")
        try:
            wiretext.write(simple, values[name])
        except LocalProtocolError as error:
            raise ConfigError(f"{resource.name}: {name}: {error}") from None
    if reason := resource.check(values):
        raise ConfigError(f"{resource.name}: {reason}")


def members_of(resource: DeviceResource) -> tuple[tuple[str, Simple], ...]:
    """The names of the document's members with their simple types."""
    extension = extensions.find(resource.namespace, resource.element)
    return () if extension is None else extension.members


def keep(
    head_end: HeadEnd, device: EndDeviceRecord, resource: DeviceResource, values: Mapping[str, Any] | None
) -> None:
    """Keep the members of a device's document, which were checked; None removes it."""
    others = {name: kept for name, kept in device.resources.items() if name != resource.name}
    device.resources = others if values is None else {**others, resource.name: dict(values)}
    device.version += 1
    head_end.end_devices.touch(device)


def set_by_operator(
    head_end: HeadEnd, device: EndDeviceRecord, name: str, values: Mapping[str, Any] | None
) -> None:
    """The same for the operator or a scenario; ConfigError for a name or members that are not right."""
    resource = find(head_end, name)
    if values is not None:
        check(resource, values)
    keep(head_end, device, resource, values)
    head_end.info(f"{name} of {device.lfdi} is {'removed' if values is None else dict(values)}")


def check_all(head_end: HeadEnd, devices: Iterable[DevicePlan]) -> None:
    """ConfigError for documents that a scenario has for its devices and this server does not take."""
    for device in devices:
        for name, values in device.resources.items():
            try:
                check(find(head_end, name), values)
            except ConfigError as error:
                raise ConfigError(f"scenario: resources of device {device.lfdi}: {error}") from None


def links_of(head_end: HeadEnd, device: EndDeviceRecord) -> tuple[Extra, ...]:
    """The elements of an EndDevice that have the paths of its documents."""
    return tuple(
        Extra(each.namespace, each.link, r.Link(href=f"{device.href}/{each.name}"))
        for each in head_end.parts.resources
        if each.link
    )


def routes_of(resource: DeviceResource) -> dict[str, Route]:
    """The functions that serve it."""
    put: Callable[..., Answer] = partial(_write, resource)
    return {
        f"/edev/*/{resource.name}": Route(
            partial(_read, resource),
            put=put if "PUT" in resource.writes else None,
            post=put if "POST" in resource.writes else None,
            delete=partial(_delete, resource) if "DELETE" in resource.writes else None,
        )
    }


def _read(resource: DeviceResource, context: RequestContext, number: int) -> Document:
    values = context.end_device(number).resources.get(resource.name, resource.empty)
    if values is None:
        raise not_found(f"there is no {resource.element} of this device yet")
    content = {"href": context.path, **values}
    extra = Extra(resource.namespace, resource.element, content)
    return Document(tuple(content.items()), lambda _: extra)


def _write(resource: DeviceResource, context: RequestContext, number: int) -> Answer:
    device = context.end_device(number)
    posted = context.read(Extra)
    if (posted.namespace, posted.name) != (resource.namespace, resource.element):
        wanted = f"{resource.element} of {resource.namespace}"
        raise RequestRefused(400, f"the body is a {posted.name} of {posted.namespace}; {wanted} is needed")
    values = {name: value for name, value in posted.value.items() if name != "href"}
    try:
        check(resource, values)
    except ConfigError as error:
        raise RequestRefused(400, str(error)) from None
    created = resource.name not in device.resources
    keep(context.head_end, device, resource, values)
    context.head_end.info(f"{device.lfdi} has set its {resource.element}: {values}")
    return Answer(201 if created else 204, context.path)


def _delete(resource: DeviceResource, context: RequestContext, number: int) -> Answer:
    device = context.end_device(number)
    if resource.name not in device.resources:
        raise not_found(f"there is no {resource.element} of this device")
    keep(context.head_end, device, resource, None)
    return Answer(204)
