"""The stages of a prediction: intake, batch, cache, model, log."""
