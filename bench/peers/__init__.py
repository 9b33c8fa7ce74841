"""What the api is compared with; each peer is written as its own documentation would write it."""
