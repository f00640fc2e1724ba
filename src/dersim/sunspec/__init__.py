"""SunSpec Modbus: the inverter as registers, over TCP, TLS and a serial line."""
