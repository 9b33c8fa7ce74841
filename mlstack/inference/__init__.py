"""Inference: loads a version of the model, and predicts with it as scikit-learn does, only faster."""
