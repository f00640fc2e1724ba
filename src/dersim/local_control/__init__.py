"""What the protocols that command a DER locally share: Modbus, REST by point names, those of plug-ins."""
