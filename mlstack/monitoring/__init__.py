"""What the monitor measures besides the model: free space of the volumes, expiry of the certificate."""
