"""FastAPI's routes: health, information and metrics."""
