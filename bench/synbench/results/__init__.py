"""The one reader of what runs stored."""
