"""The inputs of a DER: grid voltage and frequency, irradiance, air."""
