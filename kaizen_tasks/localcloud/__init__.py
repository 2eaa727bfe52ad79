"""A local AWS on one loopback port, for clients such as boto3, the AWS CLI, docker, skopeo and buildah.

It shares no code with the client but its errors: shared code would share its bugs.
"""
