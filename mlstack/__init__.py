"""What the numbered steps and the two servers share, a folder for each concern."""
