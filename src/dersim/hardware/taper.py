"""The taper of a battery: less power over the last part of the way to full or empty.

The power falls in proportion to the distance that is left, down to 5 % of the rate, where a charger ends the
charge; at that it stays until the limit. So at the limit of its power the distance falls exponentially.
"""

from __future__ import annotations

import math

#: The lowest share of the rate: C/20 at a rate of 1C, the usual end of a charge.
LAST_SHARE = 0.05


#: A piece of the exponential is at most this share of its time constant, so that a straight line is near it.
_PIECE = 0.1


def share_after(left_wh: float, taper_wh: float, rate_w: float, power_w: float, hours: float) -> float:
    """The share of the rate that is allowed after some hours, 0 to 1.

    left_wh: distance to the limit; taper_wh: where the taper begins, from the limit; rate_w, power_w: how
    fast the distance falls at the full rate, and at the present power.
    """
    if taper_wh <= 0:
        return 1.0
    share = _share(left_wh, taper_wh)
    if hours <= 0 or rate_w <= 0:
        return share
    if power_w < rate_w * share:
        return _share(left_wh - max(0.0, power_w) * hours, taper_wh)
    return _share(_left_after(left_wh, taper_wh, rate_w, hours), taper_wh)


def hours_until(left_wh: float, taper_wh: float, rate_w: float, power_w: float, lost_w: float = 0.0) -> float:
    """Hours until power_w meets the limit or its share; at its share, a piece of the taper.

    lost_w: how fast the distance falls by itself.
    """
    falls_w = power_w + lost_w
    if power_w <= 0 or rate_w <= 0 or falls_w <= 0:
        return math.inf
    to_limit_h = max(0.0, left_wh) / falls_w
    if taper_wh <= 0 or power_w <= LAST_SHARE * rate_w * (1 + 1e-9):
        return to_limit_h
    needed_wh = taper_wh * power_w / rate_w
    if left_wh > needed_wh * (1 + 1e-6):
        return min(to_limit_h, (left_wh - needed_wh) / falls_w)
    return _PIECE * taper_wh / rate_w


def _share(left_wh: float, taper_wh: float) -> float:
    return max(LAST_SHARE, min(1.0, left_wh / taper_wh))


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
