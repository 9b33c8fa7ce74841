"""The stack on three engines of one machine, whose machines die."""
