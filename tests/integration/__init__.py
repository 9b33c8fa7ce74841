"""Our parts, run as processes against real stores."""
