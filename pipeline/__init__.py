"""What the numbered steps share and both servers import."""
