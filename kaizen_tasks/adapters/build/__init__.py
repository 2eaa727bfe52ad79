"""Builders of images: with docker, podman or buildah, or as a bundle without an engine."""
