"""uvicorn as it is used here: how responses are written, requests counted, connections drained."""
