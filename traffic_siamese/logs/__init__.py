"""Traffic logs of any kind, from a file to traffic series: tables, other tools' logs, captures."""
