"""GET / in a browser: the model, a form, the last predictions and the traffic, on one page."""
