"""ECR's control plane."""
