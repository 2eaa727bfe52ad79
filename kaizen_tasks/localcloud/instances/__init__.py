"""Running instances of services: as containers, or as processes from an unpacked image."""
