"""What the world does to the DER: grid voltage and frequency, sun, air."""
