"""Attacks on the servers themselves: processes on loopback, without the front door."""
