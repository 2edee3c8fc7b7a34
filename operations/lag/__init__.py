"""`zcc lag` and `zcc monitor`: how far consumer groups are behind, measured at the brokers."""
