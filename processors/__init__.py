"""Record in, record out; one folder each."""
