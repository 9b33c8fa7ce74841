"""The way of a prediction: intake, batch, cache, model, log."""
