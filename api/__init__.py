"""The operations of geo over HTTP and the command line."""
