"""The operating-system process of a worker: health, logs, signals, metrics, limits."""
