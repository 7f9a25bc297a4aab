"""What persons decided that addresses mean, for all that look alike."""
