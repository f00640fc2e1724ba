"""The resource tree: the functions that serve each path.

Paths are looked up with their numbers replaced by `*`: one dictionary access, however many devices there are.
Clients must follow links; nothing outside this package may rely on the paths.
"""

from __future__ import annotations

from collections.abc import Mapping

from dersim.utility import device_documents as devices
from dersim.utility import mirror_documents as mirrors
from dersim.utility import program_documents as programs
from dersim.utility import response_documents as responses
from dersim.utility.routing import Route
from dersim.utility.shapes import shape_of
from dersim.utility.subscriptions import documents as subscriptions

ROUTES: dict[str, Route] = {
    "/dcap": Route(devices.device_capability),
    "/tm": Route(devices.time),
    "/tm/*": Route(devices.time_of_group),
    "/edev": Route(devices.end_devices, post=devices.register),
    "/edev/*": Route(devices.end_device),
    "/edev/*/rg": Route(devices.registration),
    "/edev/*/fsa": Route(devices.assignments),
    "/edev/*/fsa/*": Route(devices.assignment),
    "/edev/*/di": Route(devices.get_reported, put=devices.put_reported),
    "/edev/*/lel": Route(devices.log_events, post=devices.post_log_event),
    "/edev/*/lel/*": Route(devices.log_event),
    "/edev/*/sub": Route(subscriptions.subscriptions, post=subscriptions.subscribe),
    "/edev/*/sub/*": Route(subscriptions.subscription, delete=subscriptions.unsubscribe),
    "/edev/*/der": Route(devices.ders),
    "/edev/*/der/*": Route(devices.der),
    "/edev/*/der/*/dercap": Route(devices.get_reported, put=devices.put_reported),
    "/edev/*/der/*/derg": Route(devices.get_reported, put=devices.put_reported),
    "/edev/*/der/*/ders": Route(devices.get_reported, put=devices.put_reported),
    "/edev/*/der/*/dera": Route(devices.get_reported, put=devices.put_reported),
    "/fsa/*/derp": Route(programs.programs_of_group),
    "/derp": Route(programs.programs),
    "/derp/*": Route(programs.program),
    "/derp/*/dderc": Route(programs.default_control),
    "/derp/*/derc": Route(programs.controls),
    "/derp/*/derc/*": Route(programs.control),
    "/derp/*/actderc": Route(programs.active_controls),
    "/derp/*/dc": Route(programs.curves),
    "/derp/*/dc/*": Route(programs.curve),
    "/rsps": Route(responses.response_sets),
    "/rsps/*": Route(responses.response_set),
    "/rsps/*/rsp": Route(responses.responses, post=responses.post_response),
    "/rsps/*/rsp/*": Route(responses.response),
    "/mup": Route(mirrors.mirrors, post=mirrors.post_mirror),
    "/mup/*": Route(mirrors.mirror, post=mirrors.post_reading, delete=mirrors.delete_mirror),
    "/upt": Route(mirrors.usage_points),
    "/upt/*": Route(mirrors.usage_point),
    "/upt/*/mr": Route(mirrors.meter_readings),
    "/upt/*/mr/*": Route(mirrors.meter_reading),
    "/upt/*/mr/*/rt": Route(mirrors.reading_type),
    "/upt/*/mr/*/r": Route(mirrors.newest_reading),
    "/upt/*/mr/*/rs": Route(mirrors.reading_sets),
    "/upt/*/mr/*/rs/*": Route(mirrors.reading_set),
    "/upt/*/mr/*/rs/*/r": Route(mirrors.readings),
}


def find(path: str, routes: Mapping[str, Route] = ROUTES) -> tuple[Route, tuple[int, ...]] | None:
    """The route of a path and the numbers in it; None for an unknown path."""
    shape = shape_of(path)
    route = None if shape is None else routes.get(shape.text)
    return None if shape is None or route is None else (route, shape.numbers)
