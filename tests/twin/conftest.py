"""Devices to read: ours behind a real port."""

import pytest
import trio

from dersim.twin import nameplate_from_modbus


async def never(_):
    await trio.sleep_forever()


class Served:
    """A bench whose registers are also behind a port; requests: the function codes that came in."""

    def __init__(self, bench, port, requests):
        self.bench, self.port, self.requests = bench, port, requests

    async def twin(self, **how):
        return await trio.to_thread.run_sync(lambda: nameplate_from_modbus("127.0.0.1", self.port, **how))


@pytest.fixture
async def serve(nursery):
    """Put a bench behind a port."""

    async def begin(bench):
        requests = []
        answer = bench.service.answer

        def recorded(pdu, *more):
            requests.append(pdu[0])
            return answer(pdu, *more)

        bench.service.answer = recorded
        bench.clock.sleep_until = never  # its time is moved by hand
        shown = await bench.server.bind()
        nursery.start_soon(bench.server.run)
        return Served(bench, int(shown["modbus"].rpartition(":")[2]), requests)

    yield begin
    nursery.cancel_scope.cancel()


def whole_map(bench):
    """Every register of a bench by model and path, as raw values: scale factors and lengths too."""
    shown = {}
    for block in bench.unit.blocks:
        raws = block.layout.form.unpack(block.data())
        for point, raw in zip(block.layout.points, raws, strict=True):
            shown[block.model_id, point.path] = raw
    return shown
