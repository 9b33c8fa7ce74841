"""Step 95: drift of the logged requests from the training data."""
