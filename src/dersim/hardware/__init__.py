"""What the hardware can do: nameplate, DC source, inverter, and the state that all readers share."""
