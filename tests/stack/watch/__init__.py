"""The running stack with the monitoring overlay."""
