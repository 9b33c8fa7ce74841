"""The Flask server of 90-serve_model.py: one process per replica, several threads."""
