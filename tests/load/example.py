"""A tally with everything in it, and the head of its run."""

import random

from dersim.load import LoadTally, report
from dersim.load.head import RunHead
from dersim.load.reactions import STEPS, ControlFacts
from dersim.load.series import STATES
from dersim.load.tally import RequestRecord
from dersim.load.thresholds import judge_all, parse

START_S = 1_800_000_000.0
EVIL = "</script><script>alert(1)</script>&\"'"
HEAD = RunHead(
    target=f"https://head.end/{EVIL}",
    edition="2018",
    devices=20,
    first=1,
    ramp_per_s=50.0,
    wanted_s=90.0,
    seed=7,
    command=f"dersim sim {EVIL}",
    machine="a machine",
    versions="dersim 1, Python 3",
    cpu_s=12.0,
    peak_mib=99.0,
    workers_lost=1,
    workers_restarted=2,
)
THRESHOLDS = ("p95(GET DERControlList) < 250ms", "rate(errors) < 1%", "never_seen == 0", "p99(lag) < 50ms")
KINDS = ("GET Time", "GET DERControlList", "PUT DERStatus", "POST Response", "POST MirrorMeterReadingList")


def example_tally(seconds=90):
    """A run of 20 DERs with an outage from 40 s to 60 s."""
    rng = random.Random(5)
    tally = LoadTally()
    for second in range(seconds):
        time_s = START_S + second
        away = 40 <= second < 60
        for _ in range(rng.randrange(10, 40)):
            error = "receive" if away and rng.random() < 0.3 else ""
            service_s = rng.lognormvariate(-4, 0.8)
            text = f"GET /tm: {EVIL}" if error else ""
            record = RequestRecord(
                rng.choice(KINDS), time_s, 3, rng.expovariate(30), service_s, 200, 900, error, text
            )
            tally.request(record)
        up = min(20, second * 4) - (6 if away else 0)
        counts = dict.fromkeys(STATES, 0) | {"connected": max(up, 0), "retrying": 6 if away else 0}
        counts["discovering"] = 20 - counts["connected"] - counts["retrying"]
        tally.states(time_s, tuple(counts.values()))
        tally.loop_lag(time_s, rng.expovariate(100))
        tally.polled(time_s, rng.expovariate(30))
        if second < 5 or second in (60, 61):
            tally.handshake(time_s, 0.03, resumed=second >= 60)
    for place in range(3):
        published_s = START_S + 20 * place
        facts = ControlFacts(
            f"{place}A" * 16, "P", published_s, published_s + 5, published_s + 20, f"<{EVIL}>"
        )
        reaction = tally.reactions.of(facts)
        for device in range(1, 20 - place):
            reaction.seen.put(device)
            tally.reactions.follow("P", device, START_S)
            for step in STEPS:
                reaction.record(step, rng.uniform(0, 10))
    tally.reactions.follow("P", 20, START_S)
    tally.server_now_s = START_S + seconds
    tally.poll_rates_s = {"DERProgramList": 60.0}
    return tally


def example_report():
    """The report of that run, with four thresholds."""
    tally = example_tally()
    verdicts = judge_all(map(parse, THRESHOLDS), tally)
    return report.html(HEAD, tally.snapshot(), verdicts)
