"""AWS through boto3: accounts, App Runner, ECR, DynamoDB, Secrets Manager, CloudWatch Logs, IAM."""
