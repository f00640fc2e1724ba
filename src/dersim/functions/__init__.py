"""The control functions, one per file, and the filters, curves and chain they share."""
