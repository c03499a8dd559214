"""A bucket of log files in; its tags, and nothing of it any more, out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from rolewatch.aws.asking import asking
from rolewatch.base import aws
from rolewatch.base.errors import CannotDo

MOST: Final = 1_000  # versions that one request deletes
_GONE: Final = ("NoSuchBucket", "404")
_UNTAGGED: Final = "NoSuchTagSet"


def tags_of(client: Any, bucket: str) -> dict[str, str] | None:
    """Give the tags of a bucket; None where there is no such bucket."""
    with asking("s3:GetBucketTagging", f"look whose the bucket {bucket} is"):
        try:
            tags = client.get_bucket_tagging(Bucket=bucket)["TagSet"]
        except aws.errors() as error:
            if aws.code_of(error) in _GONE:
                return None
            if aws.code_of(error) == _UNTAGGED:
                return {}
            raise
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags}


def empty(client: Any, bucket: str, *, batch: int = MOST, tell: Callable[[int], None] | None = None) -> int:
    """Delete every version of every object, delete markers and unfinished uploads; returns how many versions there were.

    Raises CannotDo that says how many are gone where S3 refuses some.
    """
    gone = 0
    doing = f"empty the bucket {bucket}"
    while found := _versions(client, bucket, doing, batch):
        with asking("s3:DeleteObjectVersion", doing, [f"{gone:,} versions deleted"] if gone else []):
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
        errors = answer.get("Errors") or []
        gone += len(found) - len(errors)
        if errors:
            first = errors[0]
            raise CannotDo(
                f"could not {doing}: S3 refuses to delete {len(errors):,} versions, of them {first.get('Key')}: {first.get('Code')}; "
                f"{gone:,} are deleted",
                remedy="ask for s3:DeleteObjectVersion, or wait until their lock ends; then run the same command again",
            )
        if tell:
            tell(gone)
    for upload in _uploads(client, bucket, doing):
        with asking("s3:AbortMultipartUpload", doing, [f"{gone:,} versions deleted"]):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return gone


def remove(client: Any, bucket: str) -> None:
    """Delete an empty bucket; one that is gone already is no error."""
    with asking("s3:DeleteBucket", f"delete the bucket {bucket}", [f"{bucket} was emptied"]):
        try:
            client.delete_bucket(Bucket=bucket)
        except aws.errors() as error:
            if aws.code_of(error) not in _GONE:
                raise


def _versions(client: Any, bucket: str, doing: str, batch: int) -> list[dict[str, str]]:
    """List the first versions and delete markers that are there now; those before them have just been deleted."""
    with asking("s3:ListBucketVersions", doing):
        page = client.list_object_versions(Bucket=bucket, MaxKeys=batch)
    found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]


def _uploads(client: Any, bucket: str, doing: str) -> Iterator[Mapping[str, str]]:
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
    for page in _asked(pages, "s3:ListBucketMultipartUploads", doing):
        yield from page.get("Uploads", [])


def _asked(pages: Any, action: str, doing: str) -> Iterator[Mapping[str, Any]]:
    found = iter(pages)
    while True:
        with asking(action, doing):
            try:
                page = next(found)
            except StopIteration:
                return
        yield page
