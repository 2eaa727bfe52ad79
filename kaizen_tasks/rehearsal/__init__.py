"""A world to practise in: a local cloud that runs, repositories and services in it, a scratch clone with a remote."""
