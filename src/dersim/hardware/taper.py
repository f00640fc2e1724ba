"""The taper of a battery: less power over the last part of the way to full or empty.

The power falls in proportion to the distance that is left, down to 5 % of the rate, where a charger ends the
charge; at that it stays until the limit. The mean over a step is exact, so a tick of any length charges the
same energy.
"""

from __future__ import annotations

import math

#: The lowest share of the rate: C/20 at a rate of 1C, the usual end of a charge.
LAST_SHARE = 0.05


def mean_share(left_wh: float, taper_wh: float, rate_w: float, hours: float) -> float:
    """The mean share of the rate over `hours`, 0 to 1.

    left_wh: distance to the limit; taper_wh: where the taper begins, from the limit; rate_w: how fast the
    distance falls at the full rate.
    """
    if left_wh - rate_w * hours >= taper_wh:
        return 1.0  # not yet in the taper
    if hours <= 0 or rate_w <= 0:
        return max(LAST_SHARE, min(1.0, left_wh / taper_wh)) if taper_wh > 0 else 1.0
    return (left_wh - max(0.0, _left_after(left_wh, taper_wh, rate_w, hours))) / (rate_w * hours)


def _left_after(left_wh: float, taper_wh: float, rate_w: float, hours: float) -> float:
    """The distance to the limit after some hours; below 0: the limit was reached before."""
    if left_wh > taper_wh:
        hours -= (left_wh - taper_wh) / rate_w
        left_wh = taper_wh
    last_wh = LAST_SHARE * taper_wh
    if left_wh > last_wh:
        falls_h = math.log(left_wh / last_wh) * taper_wh / rate_w
        if falls_h >= hours:
            return left_wh * math.exp(-rate_w * hours / taper_wh)
        hours -= falls_h
        left_wh = last_wh
    return left_wh - LAST_SHARE * rate_w * hours
