"""What events say about the rows of each table, by family."""
