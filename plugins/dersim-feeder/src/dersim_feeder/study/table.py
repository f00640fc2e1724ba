"""The results as a table: CSV, and Markdown for the documentation."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from dersim_feeder.study.outcome import Outcome

_COLUMNS = (
    ("Highest voltage, pu", "v_max_pu"),
    ("Lowest voltage, pu", "v_min_pu"),
    ("Bus-minutes above 1.05 pu", "bus_minutes_above"),
    ("Buses above 1.05 pu, of 43", "buses_above"),
    ("Highest loading of fir (50 kVA), %", "fir_loading_pct"),
    ("Highest loading of elm, oak (150 kVA), %", "others_loading_pct"),
    ("Losses, kWh", "losses_kwh"),
    ("Delivered by the DERs, kWh", "delivered_kwh"),
    ("Curtailed, kWh", "curtailed_kwh"),
    ("Exported at the head, kWh", "exported_kwh"),
    ('Responses "started"', "responses_started"),
)


def values_of(outcome: Outcome) -> dict[str, str]:
    """The numbers of one case by the names of their columns, rounded as they are told."""
    others = max(pct for name, pct in outcome.loading_pct.items() if name != "fir")
    return {
        "case": outcome.case.title,
        "v_max_pu": f"{outcome.v_max_pu:.4f}",
        "v_min_pu": f"{outcome.v_min_pu:.4f}",
        "bus_minutes_above": f"{outcome.bus_minutes:.0f}",
        "buses_above": f"{outcome.buses_above}",
        "fir_loading_pct": f"{outcome.loading_pct['fir']:.0f}",
        "others_loading_pct": f"{others:.0f}",
        "losses_kwh": f"{outcome.losses_kwh:.1f}",
        "delivered_kwh": f"{outcome.delivered_kwh:.0f}",
        "curtailed_kwh": f"{outcome.curtailed_kwh:.1f}",
        "exported_kwh": f"{outcome.exported_kwh:.0f}",
        "responses_started": f"{outcome.started}",
    }


def as_csv(outcomes: Sequence[Outcome]) -> str:
    """A row for each case."""
    rows = [values_of(each) for each in outcomes]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def curtailed_csv(outcomes: Sequence[Outcome]) -> str:
    """What each DER did not deliver, by case."""
    lines = ["case,der,transformer,km,curtailed_kwh"]
    lines += [
        f"{outcome.case.key},{each.der},{each.transformer},{each.km:.3f},{each.kwh:.2f}"
        for outcome in outcomes
        for each in outcome.curtailed
    ]
    return "\n".join(lines) + "\n"


def as_markdown(outcomes: Sequence[Outcome]) -> str:
    """A column for each case."""
    rows = [values_of(each) for each in outcomes]
    lines = ["| | " + " | ".join(row["case"] for row in rows) + " |", "|---|" + "---:|" * len(rows)]
    lines += [f"| {title} | " + " | ".join(row[key] for row in rows) + " |" for title, key in _COLUMNS]
    return "\n".join(lines) + "\n"
