"""Installed, and nothing else: the limits come from the companion server over 2030.5 and are obeyed."""


def test_the_limits_of_the_utility_are_obeyed_and_end(demo):
    with demo() as running:
        assert running.until("the sun", lambda: running.power_w() > 3000)
        mrid = running.publish(opModExpLimW=1500, opModImpLimW=0)
        running.until("1.5 kW", lambda: abs(running.power_w() - 1500) < 1)
        rules = {line["mode"]: line for line in running.see("setpoints")["in_force"]}
        assert (rules["opModExpLimW"]["value"], rules["opModExpLimW"]["detail"]) == (1500, mrid)
        bound = running.see("setpoints")["binding"]["p"]
        assert (bound["mode"], bound["function"]) == ("opModExpLimW", "csip-aus-limits")
        assert (bound["value"], bound["limit_kw"], bound["detail"]) == (1500, 1.5, mrid)
        assert (rules["opModImpLimW"]["value"], rules["opModImpLimW"]["source"]) == (0, "csip")
        running.until("Responses", lambda: running.responses(mrid) == [1, 2])
        assert running.operate("DELETE", f"controls/{mrid}").status_code == 200
        running.until("the end", lambda: running.power_w() > 3000)
        running.until("Response 6", lambda: running.responses(mrid) == [1, 2, 6])
        [device] = running.operate("GET", "end-devices").json()
        assert device["der"]["capability"]["doeModesSupported"] == 0b1111
        assert device["der"]["settings"]["doeModesEnabled"] == 0b1111
        assert device["violations"] == 0


def test_a_der_without_the_function_answers_that_it_has_no_such_mode(demo):
    with demo("--without", "csip-aus-limits") as running:
        mrid = running.publish(opModExpLimW=1500)
        running.until("Response 252", lambda: 252 in running.responses(mrid))  # 2018 has no 251
        assert "opModExpLimW" not in [line["mode"] for line in running.see("setpoints")["in_force"]]
        [device] = running.operate("GET", "end-devices").json()
        assert device["der"]["capability"]["doeModesSupported"] == 0


def test_a_utility_without_the_plugin_does_not_know_the_mode(demo):
    with demo("--without", "csip-aus") as running:
        order = {"modes": {"opModExpLimW": 1500}, "start_in_s": 1, "duration_s": 300}
        answer = running.operate("POST", "programs/2/controls", order)
        assert answer.status_code == 400
        assert "'opModExpLimW' is no mode" in answer.json()["detail"]


def test_the_nmi_of_the_site_is_at_the_utility(demo):
    with demo("--csip_aus_nmi", "41020000002") as running:

        def told():
            devices = running.operate("GET", "end-devices").json()
            return devices and devices[0]["resources"].get("cp") == {"connectionPointId": "41020000002"}

        assert running.until("the NMI", told)
        [device] = running.operate("GET", "end-devices").json()
        assert device["violations"] == 0
