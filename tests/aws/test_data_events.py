"""`rolewatch aws deploy --data-events`, against the AWS of `moto_cloud.py`."""

from deploying import ACCOUNT, cloud, cloud_url  # noqa: F401 - fixtures

MAIL = ("--email", "a@example.com")


def selectors(cloud):
    """Give the event selectors of the stack's trail: by name, which resources and whose calls."""
    found = cloud.client("cloudtrail").get_event_selectors(TrailName="rolewatch")["AdvancedEventSelectors"]
    fields = {each["Name"]: {field.pop("Field"): field for field in each["FieldSelectors"]} for each in found}
    return {
        name: (
            each.get("resources.type", {}).get("Equals"),
            each.get("userIdentity.arn", {}).get("StartsWith"),
        )
        for name, each in fields.items()
    }


def test_data_events_are_recorded_if_asked(cloud):
    """Management events stay, data events of service-linked roles come beside them, and go again; the estimate has their price."""
    told = cloud.json("deploy", "--plan", *MAIL)
    assert [each for each in told["estimate"]["lines"] if each["what"] == "data events"] == []
    cloud.json("deploy", *MAIL, "--data-events", "service-linked")
    roles = [f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleFor"]
    assert selectors(cloud) == {
        "Management": (None, None),
        "Objects": (["AWS::S3::Object"], roles),
        "Topics": (["AWS::SNS::Topic"], roles),
        "Queues": (["AWS::SQS::Queue"], roles),
    }
    told = cloud.json("deploy", "--plan", "--data-events-per-day", "1000000")
    assert (
        next(each for each in told["estimate"]["lines"] if each["what"] == "data events")["dollars"] == 30.0
    )
    cloud.json("deploy", "--data-events", "objects")
    assert selectors(cloud) == {"Management": (None, None), "Objects": (["AWS::S3::Object"], None)}
    cloud.json("deploy", "--data-events", "none")
    assert (
        cloud.client("cloudtrail").get_event_selectors(TrailName="rolewatch")["AdvancedEventSelectors"] == []
    )


def test_all_data_events_are_warned_of(cloud):
    """What costs most is said when it is asked for, and not each time after that."""
    _, _, err = cloud.run("deploy", *MAIL, "--data-events", "objects")
    assert "every call to every object in S3 is charged for" in err
    _, _, err = cloud.run("deploy", "--plan")
    assert err == ""
