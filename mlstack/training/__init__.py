"""Step 10: from a table to a published version of the model."""
