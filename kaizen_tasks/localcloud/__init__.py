"""Answer as AWS, over the wire, on one loopback port.

Real clients (boto3, the AWS CLI, docker, skopeo, buildah) talk to it unchanged. Nothing of the client is
imported but its errors: sharing code would share the bugs.
"""
