"""Whether a version that is tried beside the current one is better, or worse."""
