"""What FastAPI answers: everything but the hot path."""
