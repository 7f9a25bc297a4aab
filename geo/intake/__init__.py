"""Files and requests → checked rows → stored whole or rejected whole. Start at `imports.py`."""
