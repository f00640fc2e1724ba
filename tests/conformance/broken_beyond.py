"""Clients with one defect each that the X- ids find, and those of lists, curves and readings."""

from __future__ import annotations

import re
from functools import partial

from tests.conformance.wires import (
    Broken,
    body_changed,
    never_asked,
    path_of,
    rewritten,
    with_status,
)
from tests.conformance.wires_beyond import (
    EmptyForEver,
    LostIsSent,
    NoLocation,
    NoReadingsAfterWalk,
    SaidAgain,
    Vanished,
    clock_went_back,
    cut_after,
    each_control,
    first_page_only,
    first_primacy,
    first_reply_to,
    given_up,
    holds,
    in_two_lists,
    interval_changed,
    links_without_all,
    lost_mirror_unnoticed,
    main_time_for_all,
    never_read,
    no_chains,
    no_mirror,
    notified_with,
    only_with_reply_to,
    ramp_for_all,
    readings_of,
    redirect_of_bodies,
    scheduled_for_ever,
    threatened_no_more,
    time_with_end_devices,
    turned,
    without_retry_after,
)

from dersim.http11 import Response


def both_ways(name, defect):
    """A defect that sees answers and changes requests."""
    return Broken(name, defect.request, answer=defect.answer)


BEYOND = [
    # events
    Broken("a control whose rival is cancelled is ended", answer=each_control(threatened_no_more)),
    Broken("primacies are read once", answer=first_primacy),
    Broken("rampTms of one control is taken for all", answer=each_control(ramp_for_all)),
    Broken("rampTms is ignored", answer=rewritten(rb"<rampTms>\d+</rampTms>", b"")),
    Broken("successive events do not meet", patch=no_chains),
    Broken("every Time is taken for the main one", answer=main_time_for_all),
    both_ways("started again after the clock went back", SaidAgain(clock_went_back)),
    Broken("only ten controls of a list are read", answer=cut_after(10)),
    Broken("the 25th control is dropped", answer=holds(24)),
    both_ways("a control of two lists is reported started twice", SaidAgain(in_two_lists)),
    both_ways("a control that has changed is reported started again", SaidAgain(interval_changed)),
    both_ways("what has vanished is reported completed at once", Vanished),
    Broken("Responses go to the first replyTo that was read", answer=each_control(first_reply_to)),
    Broken("a control whose status stays Scheduled ends", answer=each_control(scheduled_for_ever)),
    Broken(
        "Responses that are due while the server is away are lost",
        LostIsSent.request,
        answer=LostIsSent.answer,
        sees_raw=True,
    ),
    Broken("a Response is given up after 500", answer=given_up),
    Broken("a control without replyTo is not run", answer=each_control(only_with_reply_to)),
    Broken("what is over is reported completed", with_status(254, 3)),
    # subscriptions
    Broken(
        "no Subscription is made",
        lambda request, _: Response(403) if path_of(request).endswith("/sub") else request,
    ),
    Broken(
        "its EndDevice is not subscribed to",
        lambda request, _: (
            Response(400)
            if re.search(rb"<subscribedResource>/edev/\d+<", request.body) and request.method == "POST"
            else request
        ),
    ),
    Broken(
        "Notifications are answered 200",
        patch=partial(notified_with, lambda status: 200 if status == 201 else status),
    ),
    Broken("what a Notification is about is never read", hidden=never_read),
    Broken(
        "a Notification with another resource is taken",
        patch=partial(notified_with, lambda status: 201 if status == 400 else status),
    ),
    # answers and links
    Broken("Time is asked for with every EndDeviceList", time_with_end_devices),
    both_ways("no readings after the tree was read again", NoReadingsAfterWalk),
    both_ways("a list that was empty is never read again", EmptyForEver),
    Broken("Retry-After is not read", answer=without_retry_after()),
    Broken("Retry-After as a date is not read", answer=without_retry_after(r".*GMT")),
    Broken("links without all lead to nothing", answer=links_without_all),
    Broken("links are made lower case", answer=rewritten(rb'"/DERP', b'"/derp')),
    Broken("307 and 308 are errors", answer=redirect_of_bodies),
    Broken("a list is its first page", answer=first_page_only),
    Broken(
        "lists are asked for without l",
        lambda request, _: request._replace(target=re.sub(r"&l=\d+", "", request.target)),
    ),
    # defaults and curves
    Broken(
        "the default control is not applied",
        answer=rewritten(rb"<DefaultDERControlLink[^>]*></DefaultDERControlLink>", b""),
    ),
    Broken(
        "the values of curves are read as half",
        answer=rewritten(
            rb"<yvalue>(-?)(\d+)", lambda at: b"<yvalue>%b%d" % (at[1], int(at[2]) // 2), b"DERCurve"
        ),
    ),
    Broken(
        "curves are never fetched",
        hidden=never_asked(lambda path: re.search(r"/dc(/\d+)?$", path) is not None),
    ),
    # documents and readings
    Broken(
        "setMaxW is beyond the rating",
        body_changed(
            b"DERSettings",
            rb"(<setMaxW><multiplier>-?\d+</multiplier><value>)(\d+)",
            lambda found: found[1] + b"%d" % (int(found[2]) * 102 // 100),
        ),
    ),
    Broken(
        "a LogEvent without functionSet",
        body_changed(b"LogEvent", rb"<functionSet>.*?</functionSet>", b""),
    ),
    Broken("no MirrorUsagePoint", no_mirror),
    Broken("a lost mirror is not noticed", answer=lost_mirror_unnoticed),
    both_ways("no readings where the mirror has no Location", NoLocation),
    Broken("readings without frequency", readings_of(33, lambda _: b"")),
    Broken("the sign of var readings is wrong", readings_of(63, turned)),
]
