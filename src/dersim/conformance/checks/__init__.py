"""Checks: functions that make a `Check` of what must hold, judged on the evidence of a run."""
