"""What an attacker may try, and what must still hold."""
