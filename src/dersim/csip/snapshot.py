"""The public contract's `GET /api/dersim/csip-client`, for one DER."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dersim.csip import clocks
from dersim.plugin.services import FoundResources
from dersim.timestamps import rfc3339_or_none

if TYPE_CHECKING:
    from collections.abc import Hashable

    from dersim.csip.config import CsipConfig
    from dersim.csip.credentials import Credentials
    from dersim.csip.lifecycle import Lifecycle
    from dersim.csip.session import Counters
    from dersim.csip.status import ClientStatus
    from dersim.csip.tree import Tree

#: What is shown before there is an identity.
_NOTHING_FOUND: dict[str, Any] = {
    "end_device": None,
    "registration": {"present": False, "verified": None},
    "clock": clocks.shown(None),
    "clocks": [],
    "programs": [],
    "active_controls": [],
    "scheduled_controls": [],
    "default_control": None,
    "subscriptions": [],
}


def snapshot(
    config: CsipConfig,
    counters: Counters,
    client_status: ClientStatus,
    *,
    credentials: Credentials | None,
    lifecycle: Lifecycle | None,
) -> dict[str, Any]:
    """The state of one client as JSON values. credentials, lifecycle: None before certificates were read."""
    found = _NOTHING_FOUND if lifecycle is None else _found(lifecycle)
    return {
        "state": client_status.state,
        "server": config.origin.url(""),
        "dcap": config.dcap,
        "lfdi": credentials and credentials.lfdi,
        "sfdi": credentials and str(credentials.sfdi),
        "edition": config.edition.value,
        **found,
        "last_contact": rfc3339_or_none(lifecycle.session.last_contact_s) if lifecycle is not None else None,
        "last_error": client_status.last_error,
        "troubles": _troubles(client_status, lifecycle),
        "retry_in_s": client_status.retry_in_s,
        "counters": {
            "requests": counters.requests,
            "errors": counters.errors,
            "puts": counters.puts,
            "puts_skipped": counters.puts_skipped,
            "meter_posts": counters.meter_posts,
            "responses": counters.responses,
            "log_events": counters.log_events,
            "violations": counters.violations,
            "notifications": counters.notifications,
            "notifications_refused": counters.notifications_refused,
        },
    }


#: What the keys of the schedule poll or send, for `troubles`.
_NAMES = {
    "dcap": "DeviceCapability",
    "edev": "EndDevice",
    "registration": "Registration",
    "fsa": "FunctionSetAssignmentsList",
    "der": "DER",
    "status": "DERStatus",
    "time": "Time",
    "meter": "meter readings",
    "mirror": "MirrorUsagePointList",
    "log": "LogEventList",
    "reread": "DERControl",
    "subscribe": "SubscriptionList",
    "notified": "what was notified",
}


def _troubles(client_status: ClientStatus, lifecycle: Lifecycle | None) -> list[dict[str, Any]]:
    """What fails now.

    Refused meter readings are listed here, and resources that the server has not taken, and never did; they
    do not end `connected`.
    """
    troubles = {_what(key): each for key, each in client_status.troubles.items()}
    if lifecycle is not None:
        if (metering := lifecycle.metering.trouble) is not None:
            troubles[_what("meter")] = metering
        for name, each in lifecycle.reporter.troubles.items():
            troubles.setdefault(name, each)
    return [
        {"what": what, "since": rfc3339_or_none(each.since_s), "error": each.error}
        for what, each in troubles.items()
    ]


def _what(key: Hashable) -> str:
    return f"DERProgramList {key[1]}" if isinstance(key, tuple) else _NAMES.get(str(key), str(key))


def _found(lifecycle: Lifecycle) -> dict[str, Any]:
    tree = lifecycle.tree
    controls = lifecycle.controls.snapshot()
    return {
        "end_device": tree.end_device_href,
        "registration": {
            "present": tree.registration.present,
            "verified": tree.registration.verified,
        },
        "clock": clocks.shown(lifecycle.clocks.main),
        "clocks": lifecycle.clocks.snapshot(),
        "programs": controls["programs"],
        "active_controls": controls["active_controls"],
        "scheduled_controls": controls["scheduled_controls"],
        "default_control": controls["default_control"],
        "subscriptions": [] if lifecycle.subscriptions is None else lifecycle.subscriptions.shown(),
    }


def found(tree: Tree) -> FoundResources:
    """The server's resources, as other front-ends see them."""
    node = tree.der
    places = ("href", "capability", "settings", "status", "availability")
    return FoundResources(
        end_device=tree.end_device,
        function_set_assignments=tree.fsas,
        der=None if node is None else {name: getattr(node, name) for name in places},
        log_event_list=tree.log_events,
        mirror_usage_point_list=tree.mirrors,
        unreadable=dict(tree.unreadable),
    )
