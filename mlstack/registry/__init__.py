"""The model registry: versions in a volume, which of them is served or tried, and the decisions behind it."""
