"""Limit a running DER to 30 % over REST, watch it follow, and take the limit back.

    ./sim --plugins rest,modbus            (in another terminal)
    python examples/limit_over_rest.py

Needs a simulator whose utility sends no limit of its own: an active DERControl rules over REST.
"""

import argparse
import time

import httpx

LIMIT_PCT = 30.0
PATIENCE_S = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dashboard", default="http://127.0.0.1:8111", help="address of the dashboard")
    api = httpx.Client(base_url=parser.parse_args().dashboard + "/api/dersim", timeout=10, trust_env=False)

    before_kw = power_kw(api)
    rated_kw = api.get("/nameplate").json()["ratings"]["rtgMaxW"] / 1000
    print(f"{before_kw:.2f} kW of {rated_kw:g} kW before")
    set_limit(api, enabled=True)
    limited_kw = wait_until(api, lambda kw: kw <= LIMIT_PCT / 100 * rated_kw + 0.01)
    print(f"limited to {LIMIT_PCT:g} %: {limited_kw:.2f} kW")
    set_limit(api, enabled=False)
    print(f"limit taken back: {wait_until(api, lambda kw: kw >= before_kw - 0.01):.2f} kW")


def set_limit(api: httpx.Client, *, enabled: bool) -> None:
    """Write SunSpec model 704 by point names: what a Modbus client would write."""
    points = {"WMaxLimPct": LIMIT_PCT, "WMaxLimPctEna": int(enabled)}
    answer = api.post("/grid-support", json={"model": 704, "points": points})
    if answer.is_error:
        raise SystemExit(f"refused: {answer.json()['detail']}")


def power_kw(api: httpx.Client) -> float:
    return float(api.get("/overview").json()["metrics"]["power_kw"])


def wait_until(api, suits) -> float:
    """The first power that suits, in kW."""
    deadline = time.monotonic() + PATIENCE_S
    while not suits(kw := power_kw(api)):
        if time.monotonic() > deadline:
            raise SystemExit(f"still {kw:.2f} kW after {PATIENCE_S:g} s")
        time.sleep(0.2)
    return kw


if __name__ == "__main__":
    main()
