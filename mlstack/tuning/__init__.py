"""Step 25: comparing estimators by cross-validation."""
