"""`python -m tests.bench.modbus_servers ours|pymodbus PORT`: a server for `bench_modbus`."""

from __future__ import annotations

import asyncio
import sys

import trio


async def pymodbus_server(port: int) -> None:
    """pymodbus' asyncio server on a block of registers: the fastest of its data stores."""
    from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
    from pymodbus.server import ModbusTcpServer

    block = ModbusSequentialDataBlock(40001, list(range(2500)))
    context = ModbusServerContext(devices=ModbusDeviceContext(hr=block), single=True)
    await ModbusTcpServer(context, address=("127.0.0.1", port)).serve_forever()


def our_server(port: int) -> int:
    """The whole simulator with Modbus only; at the end it prints how late its loop woke a sleeper of 5 ms."""
    from dersim.cli import main
    from dersim.engine.simulator import Simulator

    late_s: list[float] = []
    run = Simulator.run

    async def watch() -> None:
        while True:
            began = trio.current_time()
            await trio.sleep(0.005)
            late_s.append(trio.current_time() - began - 0.005)

    async def watched(self: Simulator, announce: object) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            await run(self, announce)
            nursery.cancel_scope.cancel()

    Simulator.run = watched
    code = main.main(["sim", "--mb_port", str(port), "--plugins", "modbus"])
    late_s.sort()
    print(f"lag_p99_ms={1000 * late_s[int(len(late_s) * 0.99)]:.3f}", flush=True)
    return code


if __name__ == "__main__":
    kind, where = sys.argv[1], int(sys.argv[2])
    sys.exit(our_server(where) if kind == "ours" else asyncio.run(pymodbus_server(where)))
