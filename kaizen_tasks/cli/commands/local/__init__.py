"""The tasks that run on this machine alone: the local cloud, the demo, rehearsals."""
