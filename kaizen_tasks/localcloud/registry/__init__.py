"""The image registry: the OCI distribution API over a store on disk."""
