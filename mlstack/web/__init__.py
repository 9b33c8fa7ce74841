"""What both servers share: problems, bodies, instances, API keys, which model answers, draining."""
