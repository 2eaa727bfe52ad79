"""The HTTP server: routing, authentication, AWS protocols, injected faults."""
