"""`python -m api.cli` is `ancu`."""

from api.cli import main

main()
