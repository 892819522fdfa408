"""Why traffic is not normal, in the words of those who run the network."""
