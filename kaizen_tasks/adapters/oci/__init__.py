"""The OCI distribution protocol: image manifests, layers, uploads, copies between repositories."""
