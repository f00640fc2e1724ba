"""What the inverter chooses to do: one control function to a file, and the filters that they share."""
