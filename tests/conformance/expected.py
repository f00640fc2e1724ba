"""Which ids must fail for each defect, and no others: the table of docs/conformance.md."""

from __future__ import annotations


def ids(*areas):
    """Ids in short: "BASIC 3-5 8, COMM 004D"."""
    found = set()
    for part in ", ".join(areas).split(", "):
        area, *numbers = part.split()
        for each in numbers:
            first, _, last = each.partition("-")
            spread = range(int(first), int(last) + 1) if last else ()
            found.update(f"{area}-{number:03}" for number in spread)
            if not last:
                found.add(f"{area}-{first:0>3}" if first.isdigit() else f"{area}-{first}")
    return frozenset(found)


#: The ids with a control that is run and answered.
EVENTS = ids("CORE 11 13 21-23, BASIC 3-6 8-15 17-26, X 1 3-10 12-22 24 25 27")

EXPECTED = {
    "Response 1 is never sent": EVENTS,
    "Response 2 is never sent": EVENTS,
    "Response 3 is never sent": EVENTS,
    "Response 6 is never sent": ids("CORE 22"),
    "Response 7 is never sent": ids("CORE 23, BASIC 21-23, X 3 4"),
    "each Response is sent twice": EVENTS,
    "Response 1 comes after 2": EVENTS,
    "completed instead of cancelled": ids("CORE 22, BASIC 3 15, X 3"),
    "completed instead of superseded": ids("CORE 23, BASIC 15 21-23, X 3 4"),
    "started instead of received": EVENTS,
    "Response with another subject": EVENTS,
    "Response posted to a wrong address": EVENTS,
    "a superseded control is answered 7 and 14": ids("CORE 23, BASIC 21-23, X 3 4"),
    "controls start 15 s late": (EVENTS | ids("CORE 12, BASIC 2, X 26")) - ids("X 6 8 20"),
    "controls start 8 s early": (EVENTS | ids("CORE 12, BASIC 2, X 26")) - ids("X 8 20"),
    "controls last half as long": (EVENTS | ids("CORE 12, BASIC 2, X 26")) - ids("X 8 20"),
    "the worst primacy wins": ids("CORE 18 19 23", "BASIC 15 16 20-23", "ERR 2", "X 3 4 10 13 15 16"),
    "a cancellation is not seen": ids("CORE 22, BASIC 15, X 3"),
    "the sign of the randomization is turned": ids("CORE 21, X 6"),
    "controls of a list that has grown are not seen": ids("CORE 22, BASIC 23 26, X 4 10 14 21"),
    "the own href of a control is never fetched": ids("CORE 22 23, BASIC 4-6 8-15 17-26, X 26"),
    "limits are read as half": ids(
        "CORE 11 12 18 19 21-23", "BASIC 2 3 10 16-26", "ERR 2", "X 1 3-5 7-10 12-19 21 22 24-27"
    ),
    "the excitation is turned": ids("CORE 13, BASIC 8 15 24-26, X 5"),
    "targets in W are read as 10 W": ids("BASIC 14"),
    "fixed W is not supported": ids("BASIC 13"),
    "droop is ignored": ids("BASIC 12"),
    "ramp rates of a default are ignored": ids("BASIC 7"),
    "momentary cessation is ignored": ids("BASIC 4"),
    "Registration is never fetched": ids("CORE 3 9-12, BASIC 1, X 2"),
    "DeviceCapability is fetched once": ids("CORE 3"),
    "the EndDeviceList is fetched once": ids("CORE 3"),
    "the assignments are fetched once": ids("CORE 3 18 19, BASIC 6 8-14, ERR 2"),
    "assignments do not change for it": ids("CORE 18 19, BASIC 3, ERR 2"),
    "the DERProgramList is polled twice as often": ids("CORE 3"),
    "it does not find itself by the sFDI": ids("BASIC 10-14"),
    "Time is never fetched": ids("CORE 5, BASIC 2, X 7 9"),
    "a redirect is not followed": ids("ERR 1 001/302"),
    "DERSettings is never PUT": ids("CORE 14, BASIC 7"),
    "DERCapability is never PUT": ids("CORE 14"),
    "only DERStatus is PUT": ids("CORE 14, BASIC 7 29"),
    "DERStatus has no connection": ids("BASIC 28"),
    "readingTime is by its own clock": ids("CORE 5"),
    "setMaxVarNeg is positive": ids("CORE 14, X 1"),
    "what was PUT is not fetched again": ids("CORE 9 14, BASIC 28"),
    "no LogEvents": ids("BASIC 27"),
    "the same LogEvent again and again": ids("BASIC 27"),
    "every second post of readings is left out": ids("BASIC 29, X 9 11 20 23"),
    "the PIN is not checked": ids("X 2"),
    "any certificate chain is accepted": ids("COMM 004D 004E 004F"),
    "TLS with another cipher suite": ids("COMM 3 004A 004B 004C"),
    "a control whose rival is cancelled is ended": ids("X 3"),
    "primacies are read once": ids("X 4"),
    "rampTms of one control is taken for all": ids("X 5"),
    "rampTms is ignored": ids("X 5"),
    "successive events do not meet": ids("X 6"),
    "every Time is taken for the main one": ids("X 7"),
    "started again after the clock went back": ids("X 8"),
    "only ten controls of a list are read": ids("BASIC 15, X 14"),
    "the 25th control is dropped": ids("X 14"),
    "a control of two lists is reported started twice": ids("X 16"),
    "a control that has changed is reported started again": ids("X 17"),
    "what has vanished is reported completed at once": ids("X 18"),
    "Responses go to the first replyTo that was read": ids("X 19"),
    "a control whose status stays Scheduled ends": ids("X 22"),
    "Responses that are due while the server is away are lost": ids("X 24"),
    "a Response is given up after 500": ids("X 25"),
    "a control without replyTo is not run": ids("X 26"),
    "what is over is reported completed": ids("X 27"),
    "no Subscription is made": ids("CORE 18 19, ERR 2"),
    "its EndDevice is not subscribed to": ids("CORE 19"),
    "Notifications are answered 200": ids("CORE 18 19, ERR 2"),
    "what a Notification is about is never read": ids("CORE 18 19, ERR 2"),
    "a Notification with another resource is taken": ids("ERR 2"),
    "Time is asked for with every EndDeviceList": ids("X 9"),
    "no readings after the tree was read again": ids("X 9"),
    "a list that was empty is never read again": ids("X 10"),
    "Retry-After is not read": ids("X 12"),
    "Retry-After as a date is not read": ids("X 12"),
    "links without all lead to nothing": ids("X 13"),
    "links are made lower case": ids("X 15"),
    "307 and 308 are errors": ids("X 20"),
    "a list is its first page": ids("X 21"),
    "lists are asked for without l": ids("CORE 3 18 19, BASIC 2 4-6 11, ERR 2"),
    "the default control is not applied": ids(
        "CORE 3 11-13 18 19 21-23", "BASIC 1-16 18-26", "ERR 2", "X 3-5 7-10 13 15-17 19 22 24 26 27"
    ),
    "the values of curves are read as half": ids("BASIC 4-6 11"),
    "curves are never fetched": ids("CORE 12 21 23, BASIC 4-6 11 12"),
    "setMaxW is beyond the rating": ids("CORE 14, X 1"),
    "a LogEvent without functionSet": ids("BASIC 4 27, X 1"),
    "no MirrorUsagePoint": ids("BASIC 29, X 9 11 23"),
    "a lost mirror is not noticed": ids("X 11"),
    "no readings where the mirror has no Location": ids("X 23"),
    "readings without frequency": ids("BASIC 29"),
    "the sign of var readings is wrong": ids("BASIC 29"),
}
