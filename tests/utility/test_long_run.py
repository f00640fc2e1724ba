"""A day of polling in virtual time: the cycle goes on, and nothing grows."""

from dersim.ieee2030_5 import resources as r

T = 1_700_000_000


def test_a_day_of_polls_puts_and_cycle(make_lab):
    lab = make_lab(cycle=True)
    client = lab.client()
    started = set()
    for second in range(0, 86_400, 10):
        lab.now = T + second
        page = client.ask("GET", "/derp/1/derc?s=0&l=255")
        assert page.status == 200
        for control in lab.head_end.programs.get(1).active_controls():
            started.add(control.mrid)
        if second % 60 == 0:
            client.put("/edev/1/der/1/ders", r.DERStatus(alarmStatus=0, readingTime=T + second))
        if second % 600 == 0:
            listed = client.get("/derp/1/derc?s=0&l=255").DERControl
            assert 1 <= len(listed) <= 6
            assert any(c.interval.start > lab.now for c in listed), "the next one is known"
    assert len(started) == 86_400 // 30
    assert len(lab.head_end.programs.get(1).curves.listed()) <= 4
    assert len(lab.head_end.request_log.newest(10**9)) <= 5_000


def test_a_put_at_the_same_instant_is_not_hidden_by_the_cache(lab, client):
    client.get("/dcap")
    for alarm in (1, 2):
        client.put("/edev/1/der/1/ders", r.DERStatus(alarmStatus=alarm, readingTime=T))
        assert client.get("/edev/1/der/1/ders").alarmStatus == alarm


def test_an_error_of_ours_is_one_500_and_one_log_line(lab, client):
    client.get("/dcap")
    lab.head_end.end_devices.get(1).pin = 10**12
    assert client.ask("GET", "/edev/1/rg").status == 500
    assert any(line.startswith("Error") and "pIN" in line for line in lab.log.lines)
    assert client.ask("GET", "/dcap").status == 200
