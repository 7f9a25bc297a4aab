"""What persons may ask for about their household: its record, a correction, its removal."""
