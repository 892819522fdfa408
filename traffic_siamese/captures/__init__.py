"""From a file on disk to packets in arrays."""
