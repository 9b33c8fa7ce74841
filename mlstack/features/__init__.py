"""Step 15: columns derived from the training table."""
