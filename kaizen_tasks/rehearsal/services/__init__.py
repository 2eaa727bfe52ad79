"""What a local cloud holds before the first command: services, their input, and earlier releases."""
