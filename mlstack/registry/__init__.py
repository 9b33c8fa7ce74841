"""The model registry: versions in a volume, which of them is served, and loading one."""
