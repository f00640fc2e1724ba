"""The offset of the server's clock with a bound, from answers that are whole seconds.

`Time.currentTime` is a whole number of seconds, truncated. A client that takes one answer T as exact is
between 0 and 1 s behind. But an answer also bounds the offset: if the request left at our t0 and the answer
came at our t1, then at some instant in between the server's clock was within [T, T + 1). So the offset
(server minus ours) is within

    [T - t1,  T + 1 - t0]

This interval is one second plus the round trip wide, and the true offset is in the interval of every sample.
A second sample at the same phase of the server's second says nothing new, so the phase is chosen: ask at the
instant at which the server's second would just begin if the offset were in the middle of what is possible.
The answer, T or T + 1, then tells the upper half from the lower. Each sample is one bit, and five bring the
bound (half the interval) from 0.5 s under 0.1 s.

The standard allows a Time request every 15 s before one is synchronised and one per 15 minutes after.
Between samples the interval widens by `DRIFT`. A sample that contradicts the interval means that one of the
clocks was set: start again from that sample alone.

Corrections under 60 s never step backwards (2030.5-2018 9.2.3): `server_now_s` stands still until the new
estimate has caught up. Larger ones jump.

All instants here are of the local time base (simulated UTC seconds); no I/O.
"""

from __future__ import annotations

import math

#: Half-width at which we are synchronised, s.
GOOD_BOUND_S = 0.1
#: The least time between two samples before and after that, s (2030.5-2018 9.2.3).
SAMPLE_SPACING_S = 15.0
RESAMPLE_SPACING_S = 900.0
#: How far two clocks may drift apart, s per s.
DRIFT = 50e-6
#: Corrections below this never run backwards, s.
STALL_LIMIT_S = 60.0
#: Samples after which GOOD_BOUND_S is no longer tried for: the round trip is too long for it.
MAX_QUICK_SAMPLES = 10


class ClockSync:
    """The offset between the local time base and one Time resource."""

    KEPT = ("samples", "_low_s", "_high_s", "sampled_s", "_quick", "_round_trip_s", "_floor_s")

    def __init__(self) -> None:
        self.samples = 0
        self._low_s = -math.inf
        self._high_s = math.inf
        self.sampled_s = -math.inf
        self._quick = 0
        self._round_trip_s = 0.0
        self._floor_s = -math.inf

    @property
    def known(self) -> bool:
        """Whether there was a sample; without one, no event may be acted on."""
        return self.samples > 0

    @property
    def offset_s(self) -> float:
        """Server time minus local time: the middle of what is possible. 0 before the first sample."""
        return (self._low_s + self._high_s) / 2 if self.samples else 0.0

    @property
    def bound_s(self) -> float:
        """How far `offset_s` may be off, as of the last sample; infinite before the first."""
        return (self._high_s - self._low_s) / 2

    @property
    def synchronised(self) -> bool:
        """Whether the bound is as good as it needs to be, or as it will get."""
        return self.bound_s < GOOD_BOUND_S or self._quick >= MAX_QUICK_SAMPLES

    def add_sample(self, current_time: int, sent_s: float, received_s: float) -> bool:
        """Take in Time.currentTime, asked at `sent_s` and answered at `received_s`; True: a jump."""
        before_s = self.server_now_s(received_s)
        low_s, high_s = current_time - received_s, current_time + 1 - sent_s
        first = not self.known
        jumped = False
        if not first:
            slack_s = DRIFT * max(received_s - self.sampled_s, 0.0)
            kept_low_s, kept_high_s = self._low_s - slack_s, self._high_s + slack_s
            jumped = low_s > kept_high_s or high_s < kept_low_s
            if not jumped:
                low_s, high_s = max(low_s, kept_low_s), min(high_s, kept_high_s)
        self._low_s, self._high_s, self.sampled_s = low_s, high_s, received_s
        self._round_trip_s = received_s - sent_s
        self._quick = 1 if jumped else self._quick + 1
        self.samples += 1
        correction_s = received_s + self.offset_s - before_s
        if first or correction_s <= -STALL_LIMIT_S:
            self._floor_s = -math.inf
        else:
            self._floor_s = before_s
        return jumped

    def may_equal(self, other: ClockSync) -> bool:
        """Whether both may be one clock: their intervals have an offset in common."""
        return self._low_s <= other._high_s and other._low_s <= self._high_s

    def server_now_s(self, local_s: float) -> float:
        """The server's time at the local instant `local_s`; never backwards by less than a minute."""
        return max(local_s + self.offset_s, self._floor_s)

    def local_s(self, server_s: float) -> float:
        """The local instant at which the server's clock shows `server_s`."""
        return server_s - self.offset_s

    def next_sample_s(self, poll_rate_s: float = 0.0) -> float:
        """When to ask next, local time: spaced as the standard allows, phased to halve the bound.

        poll_rate_s: the pollRate of the Time resource, obeyed where it is longer once we are synchronised.
        """
        if not self.known:
            return -math.inf
        quick = not self.synchronised
        spacing_s = SAMPLE_SPACING_S if quick else max(RESAMPLE_SPACING_S, poll_rate_s)
        earliest_s = self.sampled_s + spacing_s
        # The server reads its clock about half a round trip after we have asked.
        lead_s = self.offset_s + self._round_trip_s / 2
        return math.ceil(earliest_s + lead_s) - lead_s
