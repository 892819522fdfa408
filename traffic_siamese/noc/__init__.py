"""Into the tools of a network operations centre: alarms and metrics, in the forms they take."""
