"""Recognise recurring telecom faults in captured traffic; teach a new one with one example."""

__version__ = "0.1.0"
