"""Step 20: the quality gate and its report."""
