"""Vector figures of what runs and listening tests stored."""
