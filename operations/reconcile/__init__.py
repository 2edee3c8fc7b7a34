"""`zcc reconcile`: whether every accepted event is stored, a dead letter or still on its way."""
