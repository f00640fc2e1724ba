"""Thresholds in k6's words: `p95(GET DERControlList) < 250ms`, `rate(errors) < 1%`, `never_seen == 0`.

A threshold is AGGREGATE(METRIC) OPERATOR LIMIT; `lag p99 < 50ms` is another spelling of `p99(lag) < 50ms`.
Aggregates of times are p50, p95, p99.9 ..., max, avg, and of anything count and rate. A threshold on times of
which none was measured has failed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from dersim.errors import ConfigError
from dersim.ieee2030_5 import resources
from dersim.load.latencies import Buckets, Latencies, merged
from dersim.load.reactions import STEPS
from dersim.load.tally import LoadTally
from dersim.numeric import shown
from dersim.suggestions import near_to

Unit = Literal["s", "per s", "share", ""]

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_TIME_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
NEVER_SEEN, ERRORS, REQUESTS = "never_seen", "errors", "requests"
_HANDSHAKES = ("handshake", "handshake full", "handshake resumed")
_METRICS = (REQUESTS, ERRORS, *_HANDSHAKES, "lag", "late", *STEPS, NEVER_SEEN)
_METHODS = ("GET", "PUT", "POST", "DELETE")
_WORD = r"p\(?\d{1,2}(?:\.\d+)?\)?|p100|max|avg|count|rate"
_AGGREGATE = re.compile(_WORD)
_FORM = re.compile(r"\s*(?P<left>[^<>=!]*?)\s*(?P<operator><=|>=|==|!=|<|>)\s*(?P<limit>.*?)\s*", re.DOTALL)
_CALL = re.compile(r"(?P<aggregate>[\w.]+|p\([\d.]+\))\s*\((?P<metric>[^()]*)\)")
_AFTER = re.compile(rf"(?P<metric>.+?)\s+(?P<aggregate>{_WORD})")
_LIMIT = re.compile(r"(?P<number>\d{1,15}(?:\.\d{1,9})?)\s*(?P<unit>[a-z%]*)")

EXAMPLES = "'p95(GET DERControlList) < 250ms', 'rate(errors) < 1%', 'p99(lag) < 50ms' and 'never_seen == 0'"


class Threshold(NamedTuple):
    """What must hold. text: as it was written. limit: in seconds, per second, as a share, or a number."""

    text: str
    metric: str
    aggregate: str
    operator: str
    limit: float
    unit: Unit


class Verdict(NamedTuple):
    """Whether a threshold holds. value: None where nothing was measured; found: the value for people."""

    text: str
    passed: bool
    value: float | None
    unit: Unit
    found: str


def parse(text: str) -> Threshold:
    """Read a threshold; ConfigError shows where it is wrong and what is allowed there."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise _wrong(text, text, f"no operator of {', '.join(OPERATORS)}; write it as {EXAMPLES}")
    left = form["left"]
    if left == NEVER_SEEN:
        aggregate, metric = "count", left
    elif (found := _CALL.fullmatch(left) or _AFTER.fullmatch(left)) is not None:
        aggregate, metric = found["aggregate"].replace("(", "").replace(")", ""), found["metric"].strip()
    else:
        raise _wrong(text, left, f"not AGGREGATE(METRIC); write it as {EXAMPLES}")
    if not _AGGREGATE.fullmatch(aggregate):
        allowed = "p50, p90, p95, p99, p99.9 or another percentile, max, avg, rate and count"
        raise _wrong(text, aggregate, f"no aggregate; there are {allowed}")
    _check_metric(text, metric)
    unit = _unit(text, aggregate, metric)
    return Threshold(
        text.strip(), metric, aggregate, form["operator"], _limit(text, form["limit"], unit), unit
    )


def _check_metric(text: str, metric: str) -> None:
    kind = metric.removeprefix("service ").removeprefix("errors ")
    if metric in _METRICS or kind == REQUESTS:
        return
    method, _, name = kind.partition(" ")
    known = _resource_names()
    if method in _METHODS and name in known:
        return
    if (method := method.upper()) in _METHODS:
        near = near_to(name, known)
        advice = (
            f"did you mean {method} {near}?" if near else "a name of IEEE 2030.5 as DERControlList is needed"
        )
        raise _wrong(text, name, f"no such resource; {advice}")
    near = near_to(metric, _METRICS)
    advice = f"did you mean {near}?" if near else f"there are {', '.join(_METRICS)}, and requests as GET Time"
    raise _wrong(text, metric, f"no such metric; {advice}")


def _resource_names() -> list[str]:
    return [name for name, each in vars(resources).items() if isinstance(each, type) and name[0].isupper()]


def _unit(text: str, aggregate: str, metric: str) -> Unit:
    if metric == NEVER_SEEN or aggregate == "count":
        return ""
    if metric.startswith(ERRORS):
        if aggregate != "rate":
            raise _wrong(text, aggregate, "errors have rate, their share of all requests, and count")
        return "share"
    return "per s" if aggregate == "rate" else "s"


def _limit(text: str, limit: str, unit: Unit) -> float:
    found = _LIMIT.fullmatch(limit)
    if found is None:
        raise _wrong(text, limit, "a number is needed here, such as 250ms, 1% or 100")
    value, given = float(found["number"]), found["unit"]
    if unit == "s":
        if given not in _TIME_UNITS_S:
            raise _wrong(text, limit, f"a time with a unit is needed here: {', '.join(_TIME_UNITS_S)}")
        return value * _TIME_UNITS_S[given]
    if unit == "share" and given == "%":
        return value / 100
    if given:
        wanted = "a share such as 0.01 or 1%" if unit == "share" else "a number without a unit"
        raise _wrong(text, limit, f"{wanted} is needed here")
    return value


def _wrong(text: str, where: str, why: str) -> ConfigError:
    return ConfigError(f"{shown(text)}, at {shown(where)}: {why}")


def judge(threshold: Threshold, tally: LoadTally) -> Verdict:
    """Whether a threshold holds for what was counted."""
    value = _value(threshold, tally)
    passed = value is not None and OPERATORS[threshold.operator](value, threshold.limit)
    return Verdict(threshold.text, passed, value, threshold.unit, in_words(value, threshold.unit))


def _value(threshold: Threshold, tally: LoadTally) -> float | None:
    metric, aggregate = threshold.metric, threshold.aggregate
    if metric == NEVER_SEEN:
        return tally.reactions.never_seen(tally.server_now_s)
    if metric.startswith(ERRORS):
        requests, errors = _errors(tally, metric.removeprefix(ERRORS).strip())
        if aggregate == "count":
            return errors
        return errors / requests if requests else None
    if aggregate in ("count", "rate"):
        count = _count(tally, metric)
        return count if aggregate == "count" else count / max(tally.seconds, 1.0)
    return _of_times(_times(tally, metric), aggregate)


def _errors(tally: LoadTally, kind: str) -> tuple[int, int]:
    """How many requests, and how many errors: of one kind, or of all."""
    if not kind or kind == REQUESTS:
        return tally.requests, tally.errors
    found = tally.kinds.get(kind)
    return (found.count, sum(found.errors.values())) if found else (0, 0)


def _count(tally: LoadTally, metric: str) -> int:
    kind = metric.removeprefix("service ")
    if kind == REQUESTS:
        return tally.requests
    if " " in kind and kind.partition(" ")[0] in _METHODS:
        return tally.kinds[kind].count if kind in tally.kinds else 0
    return _times(tally, metric).count


def _times(tally: LoadTally, metric: str) -> Latencies | Buckets:
    if metric in STEPS:
        return tally.reactions.step(metric)
    if metric in ("lag", "late"):
        return tally.lag if metric == "lag" else tally.late
    if metric in _HANDSHAKES:
        wanted = metric.removeprefix("handshake").strip()
        return merged(each for name, each in tally.handshakes.items() if wanted in ("", name))
    kind = metric.removeprefix("service ")
    chosen = [each for name, each in tally.kinds.items() if kind in (REQUESTS, name)]
    return merged(each.service if kind != metric else each.latency for each in chosen)


def _of_times(times: Latencies | Buckets, aggregate: str) -> float | None:
    if not times.count:
        return None
    if aggregate == "avg":
        return times.mean_s
    return times.percentile_s(100.0 if aggregate == "max" else float(aggregate[1:]))


def in_words(value: float | None, unit: Unit) -> str:
    """A value for people."""
    if value is None:
        return "nothing was measured"
    if unit == "s":
        return time_in_words(value)
    if unit == "share":
        return f"{value * 100:.3g} %"
    return f"{value:.4g}/s" if unit == "per s" else f"{value:g}"


def time_in_words(seconds: float) -> str:
    """A time for people, with three digits."""
    if seconds < 0.9995:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 599.5 else f"{seconds / 60:.1f} min"


def ms_in_words(value: float) -> str:
    """Milliseconds for a column of them: three digits, and all before the point."""
    return f"{value:.3g}" if value < 999.5 else f"{value:.0f}"


def judge_all(thresholds: Iterable[Threshold], tally: LoadTally) -> list[Verdict]:
    """The verdict on each."""
    return [judge(each, tally) for each in thresholds]
