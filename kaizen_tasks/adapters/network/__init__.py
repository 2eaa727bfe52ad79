"""The proxies and certificates of every connection: to AWS, to registries and to the running app."""
