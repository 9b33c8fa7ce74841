"""The inference service: FastAPI for everything, a thin ASGI handler for POST /predict."""
