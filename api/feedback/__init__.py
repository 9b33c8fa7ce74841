"""The true values of earlier predictions: POST /feedback."""
