"""Flows, their steps, and what runs them; `catalogue` lists the steps of every flow."""
