"""The account's rate limits: scheduling, quotas per second and per day, circuit breaker."""
