"""Synthetic faults on real normal traffic: what a network could go through, drawn at random."""
