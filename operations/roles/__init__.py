"""The long-running parts as commands: ingest, processors, sinks, monitor."""
