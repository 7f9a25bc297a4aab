"""What the service knows: spatial logic and storage, without any web framework."""
