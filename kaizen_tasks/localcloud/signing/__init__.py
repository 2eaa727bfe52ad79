"""Credentials of the cloud, and the signatures of requests that are made with them."""
