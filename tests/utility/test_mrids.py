"""mRIDs: 96 bits of their own, then the private enterprise number in one of two forms."""

from dersim.utility.mrids import MridMaker


def test_the_number_stands_at_the_end_as_32_bits_or_in_decimal_digits():
    assert MridMaker()("x")[24:] == "00009F1C"
    assert MridMaker(40732, "decimal")("x")[24:] == "00040732"
    assert MridMaker()("x")[:24] == MridMaker(1)("x")[:24]
    assert MridMaker()() != MridMaker()()


def test_all_that_a_server_makes_has_its_number(make_lab):
    lab = make_lab(pen=28547, pen_form="decimal")
    client = lab.client()
    order = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 60}
    lab.admin("POST", "/groups", {"name": "F", "level": "feeder", "patterns": ["*"]})
    control = lab.admin("POST", "/programs/2/controls", order)[1]["mRID"]
    programs = client.get("/derp?l=255").DERProgram
    curve = client.get("/derp/1/dc?l=255").DERCurve[0]
    assignments = client.get("/edev/1/fsa?l=255").FunctionSetAssignments
    found = [client.get("/derp/1/dderc").mRID, control, curve.mRID, client.get("/rsps/1").mRID]
    found += [each.mRID for each in (*programs, *assignments)]
    assert len(found) == 8
    assert {each[-8:] for each in found} == {"00028547"}
