"""A training as it runs: what it leaves on disk, and the page that shows it."""
