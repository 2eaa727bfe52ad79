"""Deployments of services: their stages, the tasks that they replace, and how they are rolled back."""
