"""Publish a DERControl on the companion server and wait for the DER's Responses.

    ./sim --demo                           (in another terminal)
    python examples/publish_and_watch.py

Prints each Response as the server receives it: 1 received, 2 started, 3 completed.
"""

import argparse
import time

import httpx

PATIENCE_S = 90.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--admin", default="http://127.0.0.1:8444", help="address of the server's admin REST")
    parser.add_argument("--start_in_s", type=int, default=15, help="the DER must read it before it starts")
    parser.add_argument("--duration_s", type=int, default=10)
    options = parser.parse_args()
    api = httpx.Client(base_url=options.admin + "/api/utility", timeout=10, trust_env=False)

    # The demo's second program has the better primacy and is empty: its controls win.
    program = min(api.get("/programs").json(), key=lambda each: each["primacy"])
    order = {
        "modes": {"opModMaxLimW": 60},
        "start_in_s": options.start_in_s,
        "duration_s": options.duration_s,
        "response_required": 7,
    }
    answer = api.post(f"/programs/{program['id']}/controls", json=order)
    if answer.is_error:
        raise SystemExit(f"refused: {answer.text}")
    mrid = answer.json()["mRID"]
    print(f"published {mrid} in program {program['description']!r}")
    watch(api, mrid)


def watch(api: httpx.Client, mrid: str) -> None:
    """Print the Responses to one control until it is completed."""
    deadline = time.monotonic() + PATIENCE_S
    told: list[int] = []
    while 3 not in told:
        if time.monotonic() > deadline:
            raise SystemExit(f"no Response 3 within {PATIENCE_S:g} s; there were {told}")
        responses = [each for each in api.get("/responses").json() if each["subject"] == mrid]
        for each in sorted(responses, key=lambda each: each["time"]):
            if each["status"] not in told:
                told.append(each["status"])
                print(f"{each['time']}  {each['status']} {each['status_text']}  from {each['lfdi']}")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
