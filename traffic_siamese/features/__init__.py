"""From packets to per-second traffic series."""
