"""`zcc reconcile`: whether every accepted event is stored, set aside or still on its way."""
