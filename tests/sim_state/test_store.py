"""What a save writes: the parts of a DER that have changed, and each row once."""

import pytest

from dersim.sim_state.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sim.db"


def der(rows, **device):
    return {
        "device": {"soc": 1, **device},
        "frontends": {"csip": {"lfdi": "AB", "rows": rows}, "modbus": {"a": "x" * 500}},
    }


def written(store, **ders):
    before = store.bytes_written
    store.write({"seed": 1}, {number.lstrip("d"): document for number, document in ders.items()}, {})
    return store.bytes_written - before


def read(path):
    store = Store(path)
    try:
        return store.read().ders
    finally:
        store.close()


def test_a_row_is_written_once_and_deleted_when_it_is_gone(path):
    rows = {f"{number:03}": (number, "z" * 100) for number in range(200)}
    store = Store(path)
    assert written(store, d1=der({"over": rows}), d2=der({})) > 20_000
    assert written(store, d1=der({"over": rows}, soc=2)) < 100
    later = {key: row for key, row in rows.items() if key > "001"} | {"200": (200,), "150": (0,)}
    assert written(store, d1=der({"over": later, "known": {"k": (1, 2)}})) < 200
    store.close()
    found = read(path)["1"]["frontends"]["csip"]["rows"]
    expected = {key: list(row) for key, row in later.items()}
    assert found == {"over": expected, "known": {"k": [1, 2]}}
    assert read(path)["2"]["frontends"]["csip"] == {"lfdi": "AB"}


def test_rows_come_back_in_the_order_in_which_they_were_told(path):
    first, second = (1,), (2,)
    store = Store(path)
    written(store, d1=der({"known": {"A": first, "B": second}}))
    written(store, d1=der({"known": {"B": second, "A": (1, 3)}}))
    store.close()
    assert list(read(path)["1"]["frontends"]["csip"]["rows"]["known"]) == ["B", "A"]


def test_another_process_knows_nothing_of_what_is_in_the_file(path):
    store = Store(path)
    written(store, d1=der({"over": {"A": (1,), "B": (2,)}}))
    store.close()
    store = Store(path)
    written(store, d1=der({"over": {"B": (2,)}}))
    store.close()
    assert list(read(path)["1"]["frontends"]["csip"]["rows"]["over"]) == ["B"]


def test_a_front_end_that_is_gone_leaves_nothing(path):
    store = Store(path)
    written(store, d1=der({"over": {"A": (1,)}}))
    written(store, d1={"device": {}, "frontends": {"modbus": {"a": 1}}})
    store.close()
    assert read(path)["1"] == {"device": {}, "frontends": {"modbus": {"a": 1}}}


def test_after_a_failure_everything_is_written_again(path):
    rows = {"A": (1, "y" * 1000)}
    store = Store(path)
    written(store, d1=der({"over": rows}))
    path.rename(path.with_name("moved.db"))
    with pytest.raises(OSError, match="moved"):
        written(store, d1=der({"over": rows}))
    assert written(store, d1=der({"over": rows})) > 1000
    store.close()
    assert read(path)["1"]["frontends"]["csip"]["rows"] == {"over": {"A": [1, "y" * 1000]}}
