"""A signalling network, event by event: subscribers, timers, queues and links make the packets."""
