"""Faults, recorded load, and the checks afterwards."""
