"""Two runs set side by side, and runs merged."""
