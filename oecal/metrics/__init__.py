"""Metrics on arrays: detection, calibration, selective prediction. NumPy only."""
