"""dersim: simulated distributed energy resources that talk IEEE 2030.5, SunSpec Modbus and REST."""

__version__ = "0.1.0"
