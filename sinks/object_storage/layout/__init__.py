"""The form of objects: names, footers, columns, files."""
