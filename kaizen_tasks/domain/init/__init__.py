"""From what an app's repository and AWS account show to a configuration: functions of texts and values."""
