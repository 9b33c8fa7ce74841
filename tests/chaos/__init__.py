"""Faults under load: no answered prediction is lost if services are killed, frozen or cut off."""
