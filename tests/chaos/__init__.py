"""Faults under load: whatever is killed, frozen, cut off or filled up, nothing that was answered is lost."""
