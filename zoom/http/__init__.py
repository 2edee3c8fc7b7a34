"""HTTP to Zoom: transport, tokens, the connection to one account, errors by response."""
