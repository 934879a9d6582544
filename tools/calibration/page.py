"""The words at the head of the page."""

HEAD = """
# Calibration
"""
