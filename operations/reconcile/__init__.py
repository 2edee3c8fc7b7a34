"""`zcc reconcile`: checks that every accepted event is stored, dead-lettered or under way."""
