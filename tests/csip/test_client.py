async def test_a_full_discovery(world):
    client = await world.start("--csip_pin", "111115", for_s=3)
    shown = client.snapshot()
    assert shown["state"] == "connected"
    assert shown["registration"] == {"present": True, "verified": True}
    assert shown["end_device"] == "/edev/1"
    assert [p["href"] for p in shown["programs"]] == ["/derp/1"]
    assert shown["default_control"]["modes"] == {"opModMaxLimW": 90.0}
    assert shown["counters"]["puts"] == 4
