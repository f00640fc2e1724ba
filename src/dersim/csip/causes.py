"""Why a request is made, in words for people: "poll derc, 10 s", "state change", "Response 2 for C513".

Each request is given its cause where it is made. A `Situation` is what the polling task does at the moment;
the cause of a GET follows from it and from the resource that is read.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

#: Short names of what is polled, as CSIP and most servers have them in their addresses.
_SHORT = {
    "DeviceCapability": "dcap",
    "Time": "tm",
    "EndDeviceList": "edev",
    "EndDevice": "edev",
    "Registration": "rg",
    "DERList": "der",
    "FunctionSetAssignmentsList": "fsa",
    "FunctionSetAssignments": "fsa",
    "DERProgramList": "derp",
    "DERProgram": "derp",
    "DefaultDERControl": "dderc",
    "DERControlList": "derc",
    "DERControl": "derc",
    "DERCurveList": "dc",
    "DERCurve": "dc",
    "LogEventList": "lel",
    "MirrorUsagePointList": "mup",
    "MirrorUsagePoint": "mup",
    "SubscriptionList": "sub",
}
#: What is told of a PUT whose content has changed.
CHANGES = {
    "DERCapability": "capability change",
    "DERSettings": "settings change",
    "DERStatus": "state change",
    "DERAvailability": "availability change",
}

TIME_SAMPLE = "time sample"
REGISTERING = "in-band registration"
METER_POST = "meter post"
PUT_REFRESH = "PUT refresh"
PUT_CHECK = "comparison with what was PUT"
SUBSCRIBING = "subscription"
RENEWING = "renewal of a subscription"
UNSUBSCRIBING = "end of a subscription"
#: What the server posts to us.
NOTIFICATION = "notification"


class Situation(NamedTuple):
    """What the polling task does. rate_s: the spacing of a poll, s of simulated time; None for all else."""

    words: str
    rate_s: float | None = None

    def cause(self, kind: type) -> str:
        """The cause of a GET of this kind of resource."""
        return _worded(self, kind.__name__)


DISCOVERY = Situation("discovery")
REREAD = Situation("re-read after a hint")
NEW_PROGRAMS = Situation("new program list")
PIN_WRONG = Situation("after a wrong PIN")
LOST_LINK = Situation("re-read after a lost link")
RETRY = Situation("retry after a failure")
NOTIFIED = Situation("notification")
SUBSCRIPTION_CHECK = Situation("check of subscriptions")
LOST_SUBSCRIPTION = Situation("after a lost subscription")
RECOVERED = Situation("after a loss of the server")


@lru_cache(maxsize=1024)
def _worded(situation: Situation, name: str) -> str:
    if situation.rate_s is not None:
        return f"{situation.words} {_SHORT.get(name, name)}, {situation.rate_s:g} s"
    item = name.removesuffix("List")
    return f"{situation.words}: {item if item == name else f'{item} list'}"


@lru_cache(maxsize=1024)
def poll(rate_s: float) -> Situation:
    """A poll that comes every `rate_s` seconds."""
    return Situation("poll", rate_s)


@lru_cache(maxsize=64)
def safety_poll(rate_s: float) -> Situation:
    """A poll of what is subscribed, every `rate_s` seconds."""
    return Situation("safety poll", rate_s)


def response(status: int | None, mrid: str) -> str:
    """The cause of a Response."""
    return f"Response {status} for {mrid}"
