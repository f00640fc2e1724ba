"""What each procedure finds out: what the device does that passes it, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

_ACCEPTED = "Accepts a server whose certificate chain has this length, and goes on to use it."
_REFUSED = "Refuses a server whose chain has what IEEE 2030.5 forbids, and sends it no request."
_MODE = "Runs the default control, the event's in its time, and the default again, with all Responses: "
_SUPERSEDED = (
    "Of two events of one mode that overlap, that of the program with the better primacy is run alone. "
)
_BESIDE = "Two events that overlap and have no mode in common run side by side; none supersedes the other. "

PURPOSES: Mapping[str, str] = {
    "COMM-002": "Finds its server by a configured address and reads what DeviceCapability links to.",
    "COMM-003": "Opens a session of TLS 1.2 with the cipher suite of CSIP, both sides with certificates.",
    **{f"COMM-004{letter}": _ACCEPTED for letter in "ABC"},
    **{f"COMM-004{letter}": _REFUSED for letter in "DEFG"},
    "CORE-003": "Polls each resource at the pollRate that the server advertises for it.",
    "CORE-005": "Takes its time from the server, so that events start together everywhere.",
    "CORE-009": "Finds its EndDevice, proves its registration by the PIN, and tells what its DER is.",
    "CORE-010": "Finds the programs of seven levels of the topology, and which of them comes first.",
    "CORE-011": "Reads fifteen assignments, of which one has no programs, and finds the best program.",
    "CORE-012": "Reads programs, defaults, controls and curves, and carries out an event over a default.",
    "CORE-013": "Keeps ten programs apart: ten events one after the other, the default in between.",
    "CORE-014": "Tells ratings and settings that fit each other and the modes that it supports.",
    "CORE-021": "Moves start and duration of randomized events, and stays within the given windows.",
    "CORE-022": "Answers events with the right Responses, a cancelled one too.",
    "CORE-023": "Runs the best program's of three events at one time, and answers the others as superseded.",
    "CORE-018": "Subscribes to its assignments, and reads a new one as soon as it is notified.",
    "CORE-019": "Subscribes to its EndDevice and its assignments, and goes on when one of them is cancelled.",
    "BASIC-001": "Recognizes its own EndDevice in a list of several.",
    "BASIC-002": "Follows the groups of seven levels, each with a Time of its own.",
    "BASIC-003": "Notices that it was moved to another feeder, and follows the programs there.",
    "BASIC-004": f"{_MODE}voltage ride-through.",
    "BASIC-005": f"{_MODE}frequency ride-through.",
    "BASIC-006": f"{_MODE}reactive power by voltage.",
    "BASIC-007": "Takes over the ramp rates of a default control.",
    "BASIC-008": f"{_MODE}a fixed power factor.",
    "BASIC-009": f"{_MODE}connect and energize.",
    "BASIC-010": f"{_MODE}a limit of the active power.",
    "BASIC-011": f"{_MODE}active power by voltage.",
    "BASIC-012": f"{_MODE}active power by frequency.",
    "BASIC-013": f"{_MODE}active power in percent of the rating.",
    "BASIC-014": f"{_MODE}active power in watts.",
    "BASIC-015": "Reads a list of 24 controls whole, and does not run those that were cancelled.",
    "BASIC-016": "Without events the device runs the default control of the program with the better primacy.",
    "BASIC-017": "Runs an event where there is no default control.",
    "BASIC-018": "Runs the default control before and after an event.",
    "BASIC-019": "Runs the default control between two events of one program.",
    "BASIC-020": "Runs events of two programs one after the other, the better default in between.",
    "BASIC-021": f"{_SUPERSEDED}Both are known ahead; the worse would begin first.",
    "BASIC-022": f"{_SUPERSEDED}Both are known ahead; the worse would last longer.",
    "BASIC-023": f"{_SUPERSEDED}The better one is published while the worse one runs.",
    "BASIC-024": f"{_BESIDE}The one of the worse program begins first.",
    "BASIC-025": f"{_BESIDE}The one of the better program begins first.",
    "BASIC-026": f"{_BESIDE}The one of the better program is published while the other runs.",
    "BASIC-027": "Tells its alarms as LogEvents.",
    "BASIC-028": "Tells its state as DERStatus.",
    "BASIC-029": "Meters active and reactive power, voltage and frequency, and posts them at postRate.",
    "ERR-001": "Follows a redirect to the new address of DeviceCapability.",
    "ERR-001/302": "Follows a temporary redirect to another address of DeviceCapability.",
    "ERR-002": "Is not misled by wrong Notifications, and goes on without a Subscription that is cancelled.",
    "X-001": "Nothing that the device sends in a usual session violates the standard.",
    "X-002": "Does not use a server that tells another PIN than its own.",
    "X-003": "Runs an event whose better rivals were cancelled early, or has told that it will not.",
    "X-004": "Goes on with a running event when the primacies change, and obeys the new ones from then on.",
    "X-005": "Keeps the ramp time of one control away from another that runs beside it.",
    "X-006": "Runs a chain of randomized events without a gap, each of them once.",
    "X-007": "Runs the events of an assignment by the Time of that assignment.",
    "X-008": "Answers an event once although the server's clock goes back while it runs.",
    "X-009": "Reads the whole tree again without losing its time.",
    "X-010": "Takes an empty answer for an empty list, and asks again.",
    "X-011": "Posts its MirrorUsagePoint again when the server has lost it.",
    "X-012": "Waits as long as Retry-After says, and not for what makes no sense.",
    "X-013": "Reads documents with elements that it does not know, and without those that may be absent.",
    "X-014": "Keeps more events than CSIP asks for, and runs the one that begins first.",
    "X-015": "Follows links in all forms that a URI may have.",
    "X-016": "Takes one event for one, whatever lists name it.",
    "X-017": "Goes on in a sensible way when the server makes a running event longer.",
    "X-018": "Goes on in a sensible way when events vanish from their list.",
    "X-019": "Finds the server again after a restart, and goes on with the event that runs.",
    "X-020": "Repeats a PUT or a POST whole where the server sends it elsewhere.",
    "X-021": "Reads a list in pages although it shrinks meanwhile.",
    "X-022": "Runs an event by its interval although the server never sets it to Active.",
    "X-023": "Finds its MirrorUsagePoint although the server has not said where it is.",
    "X-024": "Ends an event in time while the server is away, and tells it afterwards.",
    "X-025": "Sends a Response again that the server could not take.",
    "X-026": "Runs an event that has nowhere to send its Responses to.",
    "X-027": "Runs a good event beside others that make no sense.",
}


def purpose(procedure_id: str) -> str:
    """What the procedure finds out; nothing for one that is not in the table."""
    return PURPOSES.get(procedure_id, "")
