"""`zcc schemas`: write the contract, compare two, measure drift of live events."""
