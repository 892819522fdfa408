"""Tests of why traffic is not normal."""
