"""The contract with downstream teams: events, families, topics, keys, headers, reasons."""
