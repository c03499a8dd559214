"""Policies of what is listed only below something else: layer versions, and buckets on Outposts."""

import io
import zipfile

from policy_cloud import REGION, cloud, statuses  # noqa: F401 - a fixture

from faults import Answer, refusal, s3_refusal
from rolewatch.aws.policies import Scope
from rolewatch.explain.folder import Folder


def test_what_is_listed_below_something_else(cloud, tmp_path):
    """Each version of each layer, and Multi-Region Access Points by the ARN that their alias makes."""
    with cloud.client("lambda") as functions:
        for name in ("one", "one", "two"):
            made = functions.publish_layer_version(LayerName=name, Content={"ZipFile": zipped()})
            functions.add_layer_version_permission(
                LayerName=name, VersionNumber=made["Version"], StatementId="s", Action="lambda:GetLayerVersion", Principal="*",
            )  # fmt: skip
    report = cloud.collect(tmp_path, scope=Scope((cloud.account,), (REGION,), ("layer",)))
    layer = f"arn:aws:lambda:{REGION}:{cloud.account}:layer:"
    assert statuses(report) == {
        (f"{layer}{version}", "layer version policy"): "collected" for version in ("one:1", "one:2", "two:1")
    }
    assert cloud.asked().count("ListLayerVersions") == 2
    assert "lambda:GetLayerVersion" in Folder(str(tmp_path)).policy(f"{layer}two:1").text


def test_a_list_above_that_is_denied(cloud, tmp_path):
    """Is told with its own action, which is not that of the list below."""
    cloud.proxy.fault = lambda request: (
        refusal("AccessDeniedException", 403) if "S3Outposts" in request.path else None
    )
    report = cloud.collect(tmp_path, scope=Scope((cloud.account,), (REGION,), ("outposts-bucket",)))
    (row,) = report["not_collected"]
    assert (row["status"], row["action"]) == ("denied", "s3-outposts:ListOutpostsWithS3")
    cloud.proxy.fault = lambda request: (
        Answer(200, b'{"Outposts": [{"OutpostId": "op-1"}]}') if "S3Outposts" in request.path
        else s3_refusal("AccessDenied", 403) if "v20180820" in request.path else None
    )  # fmt: skip
    report = cloud.collect(tmp_path, scope=Scope((cloud.account,), (REGION,), ("outposts-bucket",)))
    (row,) = report["not_collected"]
    assert (row["status"], row["action"]) == ("denied", "s3-outposts:ListRegionalBuckets")


def zipped():
    """Make a zip file with nothing of use in it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("a.py", "")
    return content.getvalue()
