"""The operating-system process around a worker: health, logs, signals, metrics, limits."""
