"""Record in, store out; one folder each."""
