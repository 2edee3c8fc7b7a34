"""Writing a batch: rows, COPY, statements, offsets, partitions."""
