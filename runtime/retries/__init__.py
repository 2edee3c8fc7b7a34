"""What follows a failure: retry policy and loop, retry topics, blocked keys, dead letters."""
