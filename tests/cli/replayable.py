"""A template whose one alarm rings at a denial, for replays over small deliveries."""

TEMPLATE = """\
Parameters:
  Threshold: {Type: Number, Default: 1}
Resources:
  Denied:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: trail
      FilterPattern: "{ $.errorCode = AccessDenied }"
      MetricTransformations: [{MetricNamespace: N, MetricName: Denied, MetricValue: "1", DefaultValue: 0}]
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: denied
      Namespace: N
      MetricName: Denied
      Statistic: Sum
      Period: 300
      EvaluationPeriods: 12
      DatapointsToAlarm: 1
      Threshold: !Ref Threshold
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
      AlarmActions: [!ImportValue Topic]
"""
IMPORT = ("--import", "Topic=arn:aws:sns:us-east-1:111122223333:alerts")
