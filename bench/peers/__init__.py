"""What we measure ourselves against; each peer is written as its own documentation would write it."""
