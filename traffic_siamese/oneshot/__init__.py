"""Fault library, nearest-prototype classifier, calibration of "unknown"."""
