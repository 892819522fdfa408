"""What is in a log, in a model, in a fault; and what is wrong with it."""
