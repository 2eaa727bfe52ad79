"""Sandboxes for demos and rehearsals: a local cloud with repositories and services, a scratch clone with a remote."""
