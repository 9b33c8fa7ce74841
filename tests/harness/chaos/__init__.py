"""Faults, load that is recorded, and what must hold afterwards."""
