"""Tests of the learning floor."""
