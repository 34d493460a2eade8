"""Live views: each a Python file with its script and styles beside it."""
