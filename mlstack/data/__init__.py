"""The training table: generation, loading, validation, reading."""
