"""Images built by docker, podman or buildah, or as a bundle without an engine."""
