"""CloudFormation text in, definitions of metric filters and alarms out."""
