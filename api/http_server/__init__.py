"""Extensions of uvicorn: writing responses, counting requests, draining connections."""
