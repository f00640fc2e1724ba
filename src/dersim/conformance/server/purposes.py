"""What each procedure for a server finds out: what the server does that passes it, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

_CHAIN = "Accepts a client whose certificate chain has this length, and serves DeviceCapability to it."
_WRONG_CHAIN = "Refuses a client whose chain has what IEEE 2030.5 forbids, by an alert, a disconnect or 403."
_MODE = "Serves a default and a control as they were set up, and moves the control through its states: "
_OVERLAP = "Serves two controls that overlap, and takes the Responses of a DER that "

PURPOSES: Mapping[str, str] = {
    "COMM-002": "Serves DeviceCapability at the configured address, and what it links to.",
    "COMM-003": "Makes a session of TLS 1.2 with the suite of CSIP, and refuses clients without certificate.",
    **{f"COMM-004{letter}": _CHAIN for letter in "ABC"},
    **{f"COMM-004{letter}": _WRONG_CHAIN for letter in "DEFG"},
    "CORE-001": "Answers methods that are allowed, forbidden and unknown as HTTP and the WADL ask.",
    "CORE-002": "Redirects plain HTTP, and answers errors with the right status and headers.",
    "CORE-003": "Tells the poll rates of what a client polls.",
    "CORE-004": "Understands the queries of lists, also those that repeat a parameter.",
    "CORE-005": "Serves a Time that is right and goes on.",
    "CORE-009": "Serves the EndDevice with its PIN, and keeps what the device tells of its DER.",
    "CORE-010": "Leads the device to the programs of all seven levels of the topology.",
    "CORE-011": "Serves fifteen assignments in their order, and a control in the best program.",
    "CORE-012": "Serves a control with an immediate and a curve mode, the curve with all ten points.",
    "CORE-013": "Serves ten programs in the order of their primacies, and ten controls in turn.",
    "CORE-014": "Keeps ratings and settings, and replaces them with the next PUT.",
    "CORE-018": "Takes a Subscription, and sends one Notification for one change.",
    "CORE-019": "Tells a change to the Subscriptions that it concerns alone, and the end of a Subscription.",
    "CORE-021": "Serves randomized controls, active from their earliest start to their latest end.",
    "CORE-022": "Takes the Responses to three controls, one of which is cancelled while it runs.",
    "CORE-023": "Takes the Responses to three controls at one time, two of which are superseded.",
    "BASIC-001": "Serves LFDI, SFDI and PIN of the device, and shows them to no other client.",
    "BASIC-002": "Serves an assignment for each level of the topology, each with a Time of its own.",
    "BASIC-003": "Shows a move to another feeder: other assignments, programs and controls.",
    "BASIC-004": f"{_MODE}voltage ride-through.",
    "BASIC-005": f"{_MODE}frequency ride-through.",
    "BASIC-006": f"{_MODE}reactive power by voltage.",
    "BASIC-007": "Serves a default control with ramp rates.",
    "BASIC-008": f"{_MODE}a fixed power factor.",
    "BASIC-009": f"{_MODE}connect and energize.",
    "BASIC-010": f"{_MODE}a limit of the active power.",
    "BASIC-011": f"{_MODE}active power by voltage.",
    "BASIC-012": f"{_MODE}active power by frequency.",
    "BASIC-013": f"{_MODE}active power in percent of the rating.",
    "BASIC-014": f"{_MODE}active power in watts.",
    "BASIC-015": "Serves a list of 24 controls whole and in order, and shows that 23 are cancelled.",
    "BASIC-016": "Serves the defaults of two programs.",
    "BASIC-017": "Serves a control in a program without default, and takes its Responses.",
    "BASIC-018": "Serves a control beside a default, and takes its Responses.",
    "BASIC-019": "Serves two controls of one program one after the other.",
    "BASIC-020": "Serves controls of two programs one after the other.",
    **{f"BASIC-{number:03}": f"{_OVERLAP}runs the better one alone." for number in (21, 22, 23)},
    **{f"BASIC-{number:03}": f"{_OVERLAP}runs both." for number in (24, 25, 26)},
    "BASIC-027": "Keeps LogEvents, and lists the newest first.",
    "BASIC-028": "Keeps the state that the device PUTs.",
    "BASIC-029": "Takes mirrors and readings, and serves the readings as they were posted.",
    "UTIL-001": "Links each device of an aggregator to the programs of all nodes above it.",
    "UTIL-002": "Lets an aggregator tell what the DERs behind it are.",
    "UTIL-003": "Lets an aggregator subscribe to the lists of programs and controls of its DERs.",
    "UTIL-004": "Notifies the controls of seven nodes, and takes a Response of each DER below them.",
    "MAINT-001": "Removes an EndDevice everywhere, and tells those who have subscribed.",
    "MAINT-003": "Moves a device between service points, and tells those who have subscribed.",
    "MAINT-004": "Shows and notifies a new control to the devices of its group, and to no others.",
    "MAINT-005": "Shows and notifies other primacies of programs.",
    "ERR-002": "Ends a Subscription whose Notification the client has refused with 400.",
}


def purpose(procedure_id: str) -> str:
    """What the procedure finds out; nothing for one that is not in the table."""
    return PURPOSES.get(procedure_id, "")
