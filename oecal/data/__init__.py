"""Data sets: built-in sources, the image store, preprocessing, corruptions."""
