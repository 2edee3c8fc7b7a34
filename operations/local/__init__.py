"""`zcc up` and `zcc devstack`: the whole pipeline on one machine."""
