"""X-011 and X-023: a mirror that the server has lost, and answers that do not say where it is."""

from __future__ import annotations

from dersim.conformance.checks import readings
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import Stage
from dersim.http11 import Request, Response

_DEFAULT = {"opModMaxLimW": 80}


def _metering(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default=_DEFAULT)


async def _lose_the_mirror(stage: Stage) -> None:
    await stage.until(75)
    for mirror in list(stage.head_end.mirrors.listed((stage.lfdi,))):
        stage.head_end.mirrors.remove(mirror)


def _no_locations(stage: Stage) -> None:
    _metering(stage)

    def rewrite(request: Request, response: Response) -> Response:
        if request.method != "POST":
            return response
        return response._replace(headers=tuple(each for each in response.headers if each[0] != "location"))

    stage.rewrites = rewrite


_ALL_ALONG = (
    Criterion("readings are posted all along", readings.posted_all_along),
    Criterion("no reading is posted twice, and counters rise", readings.none_doubled),
    Criterion("readings agree with the terminals", readings.agree_with_terminals),
)

PROCEDURES = (
    Procedure(
        "X-011",
        "The server has lost the MirrorUsagePoint",
        _metering,
        (
            *_ALL_ALONG,
            Criterion("it is created again, once", readings.mirrors_created(2)),
            Criterion("the ReadingTypes are posted again", readings.kinds_posted_again),
        ),
        lasts_s=240,
        stimuli=_lose_the_mirror,
        required="",
        reading="From one post to the next its href is 404 and the list is empty.",
    ),
    Procedure(
        "X-023",
        "A server that gives no Location",
        _no_locations,
        (*_ALL_ALONG, Criterion("the MirrorUsagePoint is created once", readings.mirrors_created(1))),
        lasts_s=180,
        required="",
        reading="The mirror is found in the MirrorUsagePointList by its mRID.",
    ),
)
