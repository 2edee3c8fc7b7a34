"""`zcc spill`: segments that wait in the spill."""
