"""Runs a Handler or a Sink over Kafka; knows nothing of Zoom."""

import sys

# structlog loads rich where it is installed, for a renderer of tracebacks that no process of the
# product uses: 0.2 s of CPU and 7 MiB in each. A module that is None counts as not installed.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment] # the documented way to block an import
    import structlog  # noqa: F401 - loaded here, once and without it

    del sys.modules["rich"]
