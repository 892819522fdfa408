"""Honest numbers: how often a model is right, and how an encoder fares with what it never saw."""
