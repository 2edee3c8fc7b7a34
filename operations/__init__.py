"""The zcc command: for the person on call and the first-time user."""
