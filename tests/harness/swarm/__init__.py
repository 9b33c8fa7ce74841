"""Three engines on one machine, the stack on their Swarm, and a client that tries another machine."""
