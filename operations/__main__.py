"""`python -m operations` is `zcc`."""

from operations.cli import main

main()
