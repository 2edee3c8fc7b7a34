"""`zcc api`: call, describe and count operations of Zoom's REST API."""
