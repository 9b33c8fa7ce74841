"""What every process needs: settings, logs, exit codes, the health check."""
