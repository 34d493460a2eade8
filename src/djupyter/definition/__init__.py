"""The definition language: text to plain data and back. Knows no database and no other table."""
