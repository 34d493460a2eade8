"""Objects of a bucket, with the calls of S3 where those of fsspec hold too much in memory or ask too often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from djupyter.stores.files import PART, PARTS_AT_ONCE, Files, Found, Upload
from djupyter.stores.paths import Bytes
from djupyter.stores.transfers import run_all

_MOST_PARTS = 10_000
_MOST_DELETED = 1000  # in one request


class S3Files(Files):
    """Objects of a bucket, through `call_s3` of s3fs."""

    def put(self, path: str, parts: Sequence[Bytes]) -> None:
        """Write an object whole: in one request, or in parts of which the last step makes the object."""
        bucket, key = _split(path)
        views = [memoryview(part).cast("B") for part in parts]
        size = sum(view.nbytes for view in views)
        if size > PART:
            self._put_in_parts(bucket, key, views, size)
            return
        body = parts[0] if len(parts) == 1 and isinstance(parts[0], bytes) else b"".join(views)
        self.fs.call_s3("put_object", Bucket=bucket, Key=key, Body=body)

    def put_file(self, path: str, local: Path) -> int:
        """Write a copy of a local file; return its size."""
        size = local.stat().st_size
        self.fs.put_file(
            str(local), path, chunksize=_part_size(size), max_concurrency=PARTS_AT_ONCE
        )
        return size

    def get(self, path: str) -> bytes:
        """Return an object: in one request when it is small."""
        try:
            return super().get(path)
        except OSError:
            found = self.info(path)
            if found is not None and found.size == 0:  # S3 knows no range of an empty object
                return b""
            raise

    def get_file(self, path: str, local: Path) -> None:
        """Write an object to a local file."""
        self.fs.get_file(path, str(local), chunksize=PART, max_concurrency=PARTS_AT_ONCE)

    def info(self, path: str) -> Found | None:
        """Return what is known of an object, in one request; None when it is absent or a folder."""
        bucket, key = _split(path)
        try:
            head = self.fs.call_s3("head_object", Bucket=bucket, Key=key)
        except FileNotFoundError:
            return None
        return Found(path, head["ContentLength"], head["LastModified"].timestamp())

    def is_folder(self, path: str) -> bool:
        """Whether some object lies below a path."""
        bucket, prefix = _folder(path)
        page = self.fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)
        return bool(page.get("Contents"))

    def entries(self, folder: str) -> Iterator[Found]:
        """Yield every object below a folder, a page of the listing at a time."""
        bucket, prefix = _folder(folder)
        token: dict[str, Any] = {}
        while True:
            page = self.fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **token)
            for item in page.get("Contents", ()):
                if not item["Key"].endswith("/"):  # marks a folder, made by other programs
                    path, modified = f"{bucket}/{item['Key']}", item["LastModified"].timestamp()
                    yield Found(path, item["Size"], modified)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def remove(self, path: str) -> None:
        """Remove an object, and all below it when it is a folder."""
        for _, error in self.remove_many([path, *(found.path for found in self.entries(path))]):
            raise error

    def remove_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Exception]]:
        """Remove many objects, a thousand a request; yield those that could not be, with the reason."""
        remaining = iter(paths)
        while batch := list(islice(remaining, _MOST_DELETED)):
            bucket = _split(batch[0])[0]
            objects = [{"Key": _split(path)[1]} for path in batch]
            try:
                answer = self.fs.call_s3(
                    "delete_objects", Bucket=bucket, Delete={"Objects": objects, "Quiet": True}
                )
            except Exception as error:  # the library's; it is reported
                yield from ((path, error) for path in batch)
                continue
            for failed in answer.get("Errors", ()):
                yield f"{bucket}/{failed['Key']}", _refusal(failed)

    def uploads(self, folder: str) -> Iterator[Upload]:
        """Yield what somebody has begun to send and not finished, a page of the listing at a time."""
        bucket, prefix = _folder(folder)
        mark: dict[str, Any] = {}
        while True:
            page = self.fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **mark)
            for item in page.get("Uploads", ()):
                began = item["Initiated"].timestamp()
                yield Upload(f"{bucket}/{item['Key']}", item["UploadId"], began)
            if not page.get("IsTruncated"):
                return
            mark = {
                "KeyMarker": page["NextKeyMarker"],
                "UploadIdMarker": page["NextUploadIdMarker"],
            }

    def give_up(self, upload: Upload) -> None:
        """Have the server throw away what was sent of an object; that it is finished or gone is fine."""
        bucket, key = _split(upload.path)
        with suppress(FileNotFoundError):
            self.fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=upload.name)

    def _put_in_parts(self, bucket: str, key: str, views: list[memoryview], size: int) -> None:
        place = {"Bucket": bucket, "Key": key}
        place["UploadId"] = self.fs.call_s3("create_multipart_upload", **place)["UploadId"]
        try:
            step = _part_size(size)
            tags = run_all(
                [
                    partial(self._put_part, place, number, views, start, start + step)
                    for number, start in enumerate(range(0, size, step), 1)
                ],
                PARTS_AT_ONCE,
            )
            parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
            self.fs.call_s3("complete_multipart_upload", MultipartUpload={"Parts": parts}, **place)
        except BaseException:  # also Ctrl-C: what was sent would be kept, and paid for, unseen
            self.fs.call_s3("abort_multipart_upload", **place)
            raise

    def _put_part(
        self, place: dict[str, Any], number: int, views: list[memoryview], start: int, stop: int
    ) -> str:
        body = b"".join(_sliced(views, start, stop))
        answer = self.fs.call_s3("upload_part", PartNumber=number, Body=body, **place)
        return str(answer["ETag"])


def _sliced(views: list[memoryview], start: int, stop: int) -> Iterator[memoryview]:
    """Yield the bytes from start to stop of what lies in several pieces."""
    for view in views:
        if start < view.nbytes and stop > 0:
            yield view[max(start, 0) : stop]
        start, stop = start - view.nbytes, stop - view.nbytes


def _part_size(size: int) -> int:
    return max(PART, -(-size // _MOST_PARTS))


def _split(path: str) -> tuple[str, str]:
    bucket, _, key = path.partition("/")
    return bucket, key


def _folder(path: str) -> tuple[str, str]:
    bucket, key = _split(path)
    return bucket, f"{key.rstrip('/')}/" if key else ""


def _refusal(failed: dict[str, Any]) -> Exception:
    reason = f"{failed.get('Code')}: {failed.get('Message')}"
    return PermissionError(reason) if failed.get("Code") == "AccessDenied" else OSError(reason)
