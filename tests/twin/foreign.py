"""A SunSpec server that nobody here wrote: pymodbus serves the registers that pysunspec2 encodes."""

import asyncio
import contextlib
import struct
import threading

import sunspec2.device
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

COMMON = {"ID": 1, "Mn": "Acme", "Md": "Sun 8000", "Opt": "B", "Vr": "7.3", "SN": "A-17", "DA": 1}


def encoded(model):
    """The registers of a model, from pysunspec2's own definitions and code."""
    made = sunspec2.device.Model(model["ID"], data=model)
    data = made.get_mb()
    return list(struct.unpack(f">{len(data) // 2}H", data))


def registers(models, *, end=(0xFFFF, 0)):
    words = [0x5375, 0x6E53]
    for model in models:
        words += encoded(model)
    return [*words, *end]


@contextlib.contextmanager
def served(words, *, base=40000, unit=1):
    """Serve registers from `base` on in a thread; gives the port and the function codes that came in."""
    ready, codes, found = threading.Event(), [], {}

    def trace(sending, pdu):
        if not sending:
            codes.append(pdu.function_code)
        return pdu

    async def serve():
        block = ModbusSequentialDataBlock(base + 1, words)
        context = ModbusServerContext(devices={unit: ModbusDeviceContext(hr=block)}, single=False)
        server = ModbusTcpServer(context, address=("127.0.0.1", 0), trace_pdu=trace)
        await server.listen()
        found["port"] = server.transport.sockets[0].getsockname()[1]
        found["loop"], found["stop"] = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await found["stop"].wait()
        await server.shutdown()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(5)
        yield found["port"], codes
    finally:
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(5)
