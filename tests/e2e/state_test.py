"""The state of a run in a place outside the machine: a directory, and a bucket of moto's server, an emulator of S3 that checks
signatures. Every machine here is an empty directory; the clock of the runs is the test's."""

import json
import os
import shutil
import signal
import threading

import boto3
import moto.settings
import pytest
from growing_prices import GrowingPrices
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

STEPS = {"directory": 29, "s3": 8}
BUCKET = "states"


class Bucket:
    """moto behind a gate that sees each request, may answer in its place, and may kill who asks."""

    def __init__(self):
        self.app = DomainDispatcherApplication(create_backend_app)
        self.server = make_server("127.0.0.1", 0, self.serve, threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.before = self.after = lambda method, path: None
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        anybody = {"endpoint_url": self.url, "region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        iam = boto3.client("iam", **anybody)
        iam.create_user(UserName="runner")
        iam.put_user_policy(UserName="runner", PolicyName="s3", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
        key = iam.create_access_key(UserName="runner")["AccessKey"]
        self.keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        self.s3 = boto3.client("s3", **{**anybody, "aws_access_key_id": key["AccessKeyId"],
                                        "aws_secret_access_key": key["SecretAccessKey"]})
        self.s3.create_bucket(Bucket=BUCKET)
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = 0  # from now on only who signs well is heard

    def serve(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(f"/{BUCKET}/")
        status = self.before(method, path)
        if status is not None:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        else:
            answer = b"".join(self.app(environ, lambda *head: setattr(self, "head", head)))
            status = self.after(method, path)
            if status is None:
                start_response(*self.head)
                return [answer]
        start_response(f"{status} no", [("Content-Length", "0")])
        return [b""]

    def close(self):
        moto.settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
        self.server.shutdown()
        self.thread.join()


@pytest.fixture(scope="module")
def bucket():
    bucket = Bucket()
    yield bucket
    bucket.close()


class Runs:
    """Runs of `analyze` on machines that are empty each time."""

    def __init__(self, everlearn, prices, folder, place):
        self.everlearn, self.prices, self.folder, self.place, self.machines = everlearn, prices, folder, place, 0

    def machine(self):
        self.machines += 1
        return self.folder / f"machine-{self.machines}"

    def words(self, now, data, *more):
        return ("analyze", "--profile", self.prices.profile, "--source", self.prices.file, "--now", now, "--data", data, "--json",
                *more)

    def run(self, now, *more, status=0):
        data = self.machine()
        finished = self.everlearn.run(*self.words(now, data, "--state", self.place, *more), status=status)
        self.data = data
        return finished

    def plain(self, now, data):
        return self.everlearn.run(*self.words(now, data)).json()


@pytest.fixture(params=["directory", "s3"])
def runs(request, everlearn, tmp_path):
    prices = GrowingPrices(tmp_path)
    if request.param == "directory":
        yield Runs(everlearn, prices, tmp_path, tmp_path / "share")
        return
    bucket = request.getfixturevalue("bucket")
    yield on_s3(everlearn, prices, tmp_path, bucket)
    bucket.before = bucket.after = lambda method, path: None


def on_s3(everlearn, prices, folder, bucket):
    with_keys = type(everlearn)(os.path.dirname(everlearn.program), everlearn.place)
    with_keys.environment = {**everlearn.environment, **bucket.keys, "AWS_ENDPOINT_URL": bucket.url, "AWS_REGION": "us-east-1"}
    return Runs(with_keys, prices, folder, f"s3://{BUCKET}/{folder.name}")


def test_runs_on_empty_machines_go_on_as_one_directory_does(runs, tmp_path):
    states, ledgers, on_s3 = [], [], str(runs.place).startswith("s3://")
    steps = STEPS["s3" if on_s3 else "directory"]
    for _ in range(steps):
        now = runs.prices.grow()
        said = runs.run(now).json()
        alone = runs.plain(now, tmp_path / "alone")
        assert said["run"]["ledger_sha256"] == alone["ledger_sha256"]
        for figure in ("cycles", "examples", "labels", "predictions", "trainings"):
            assert said["run"][figure] == alone[figure], figure
        states.append(said["state"])
        ledgers.append(alone["ledger_sha256"])
    assert len(set(ledgers)) > steps - 3
    assert [state["pushed"] for state in states] == list(range(1, steps + 1))
    assert [state["pulled"] for state in states] == list(range(steps))
    assert said["run"]["examples"] == 20 and said["run"]["labels"] > 0
    assert on_s3 or (said["run"]["champions"]["back"] and said["run"]["predictions"] == 20)
    # What is there already does not travel again: of a small database the one piece that changed.
    assert states[5]["sent_pieces"] == 1 and states[5]["fetched_files"] > 1
    older = runs.run(now, "--snapshot", steps - 2).json()
    assert older["state"]["pulled"] == steps - 2 and older["state"]["pushed"] == steps + 1
    assert older["run"]["cycles"] == 2 and older["run"]["gap"]["reason"] == "no run"


def test_a_lease_that_is_held_ends_the_run_with_11(runs, tmp_path):
    now = runs.prices.grow(3)
    runs.run(now)
    lease = json.dumps({"owner": "somebody", "who": "runner-7, process 4242", "since": 0, "until": 4_102_444_800_000_000,
                        "released": False})
    write_lease(runs, lease)
    refused = runs.run(now, status=11)
    assert "leased by runner-7, process 4242 since 1970-01-01T00:00:00Z until 2100-01-01T00:00:00Z" in refused.err
    assert refused.out == "" and not (tmp_path / f"machine-{runs.machines}" / "everlearn.db").exists()
    write_lease(runs, lease.replace("4102444800000000", "1"))
    assert runs.run(now).json()["state"]["died"].startswith("runner-7, process 4242")


def write_lease(runs, text):
    if str(runs.place).startswith("s3://"):
        key = str(runs.place).removeprefix(f"s3://{BUCKET}/") + "/lease.json"
        s3_of(runs).put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    else:
        newest = max(runs.place.glob("lease.json@*"), key=lambda path: int(path.name.split("@")[1]))
        newest.write_text(text, encoding="utf-8")


def s3_of(runs):
    environment = runs.everlearn.environment
    return boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"], region_name="us-east-1",
                        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"])


def test_killed_at_any_request_the_state_is_the_one_before_or_the_new_one(everlearn, tmp_path, bucket):
    runs = on_s3(everlearn, GrowingPrices(tmp_path), tmp_path, bucket)
    runs.run(runs.prices.grow(3))
    snapshot, killed = 1, 0
    for kill_at in range(1, 40):
        now = runs.prices.grow()
        data, asked = runs.machine(), []

        def count(method, path, asked=asked, kill_at=kill_at):
            asked.append((method, path))
            if len(asked) == kill_at:
                child.send_signal(signal.SIGKILL)
                child.wait()
                return 503

        side = "before" if kill_at % 2 else "after"
        setattr(bucket, side, count)
        child = runs.everlearn.start(*runs.words(now, data, "--state", runs.place))
        out, _ = child.communicate()
        bucket.before = bucket.after = lambda method, path: None
        shutil.rmtree(data, ignore_errors=True)
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
        killed += 1
        # The next machine finds a whole state: the one before, or the one that the killed run had just named.
        lease = json.loads(s3_of(runs).get_object(Bucket=BUCKET, Key=f"{tmp_path.name}/lease.json")["Body"].read())
        if not lease["released"]:
            assert "leased by" in runs.run(now, status=11).err
            write_lease(runs, json.dumps({**lease, "until": 1}))
        after = runs.run(now).json()
        assert after["state"]["pulled"] in (snapshot, snapshot + 1)
        assert after["run"]["cycles"] == (1 if after["state"]["pulled"] == snapshot else 0)
        snapshot = after["state"]["pushed"]
    assert killed > 6, asked


def test_an_answer_that_is_lost_or_late_is_asked_for_again(everlearn, tmp_path, bucket):
    runs = on_s3(everlearn, GrowingPrices(tmp_path), tmp_path, bucket)
    for side in ("before", "after"):
        seen = set()

        def fail_first_time(method, path, seen=seen):
            if (method, path) in seen or path.endswith("lease.json"):
                return None
            seen.add((method, path))
            return 503

        setattr(bucket, side, fail_first_time)
        said = runs.run(runs.prices.grow(3)).json()
        bucket.before = bucket.after = lambda method, path: None
        assert not said["state"]["unchanged"] and any(path.endswith("head.json") for _, path in seen)


def test_two_that_pulled_the_same_state_do_not_overwrite_each_other(everlearn, tmp_path, bucket):
    runs = on_s3(everlearn, GrowingPrices(tmp_path), tmp_path, bucket)
    runs.run(runs.prices.grow(3))
    now = runs.prices.grow()
    meanwhile = []

    def another_run(method, path):  # when the first is about to name its snapshot; it took its lease long ago
        if method == "PUT" and path.endswith("head.json") and not meanwhile:
            meanwhile.append(True)
            lease = json.loads(s3_of(runs).get_object(Bucket=BUCKET, Key=f"{tmp_path.name}/lease.json")["Body"].read())
            write_lease(runs, json.dumps({**lease, "until": 1}))
            meanwhile.append(runs.run(now).json())

    bucket.before = another_run
    refused = runs.run(now, status=11)
    assert "another run has pushed after snapshot 1" in refused.err
    bucket.before = lambda method, path: None
    assert meanwhile[1]["state"]["pushed"] == 2
    assert runs.run(runs.prices.grow()).json()["state"]["pulled"] == 2


def test_a_flipped_bit_is_refused(everlearn, tmp_path):
    runs = Runs(everlearn, GrowingPrices(tmp_path), tmp_path, tmp_path / "share")
    now = runs.prices.grow(3)
    runs.run(now)
    for kind in ("objects", "snapshots"):
        victim = max((runs.place / kind).rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
        good = victim.read_bytes()
        for at in (0, len(good) // 2, len(good) - 1):
            victim.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
            refused = runs.run(now, status=12)
            assert "holds other bytes than were written" in refused.err
            assert not (tmp_path / f"machine-{runs.machines}" / "everlearn.db").exists()
        victim.unlink()
        assert "not there" in runs.run(now, status=12).err
        victim.write_bytes(good)
    assert runs.run(now).json()["state"]["pulled"] == 1


def test_refusals_name_what_is_missing_and_no_secret(everlearn, tmp_path, bucket):
    runs = on_s3(everlearn, GrowingPrices(tmp_path), tmp_path, bucket)
    now = runs.prices.grow(3)
    environment = dict(runs.everlearn.environment)

    def told(place=runs.place, **changes):
        runs.everlearn.environment = {**environment, **changes}
        runs.place = place
        finished = runs.run(now, status=10)
        assert environment["AWS_SECRET_ACCESS_KEY"] not in finished.out + finished.err
        return finished.err

    assert "AWS_SECRET_ACCESS_KEY is not set" in told(AWS_SECRET_ACCESS_KEY="")
    assert "SignatureDoesNotMatch" in told(AWS_SECRET_ACCESS_KEY="not-the-one")
    assert "InvalidAccessKeyId" in told(AWS_ACCESS_KEY_ID="AKIANOBODY")
    assert "NoSuchBucket" in told(place="s3://no-such-bucket/x")
    runs.everlearn.environment = environment
    assert "wanted a directory or s3://" in everlearn.run(*runs.words(now, tmp_path / "d", "--state", "ftp://x"), status=2).err


def test_a_training_works_on_the_state_too(everlearn, tmp_path):
    runs = Runs(everlearn, GrowingPrices(tmp_path), tmp_path, tmp_path / "share")
    for _ in range(18):
        runs.plain(runs.prices.grow(), tmp_path / "first")
    begun = everlearn.run(*runs.words(runs.prices.grow(), tmp_path / "first", "--state", runs.place)).json()
    assert (begun["state"]["pulled"], begun["state"]["pushed"]) == (0, 1)  # a directory becomes the first snapshot
    words = ("train", "--profile", runs.prices.profile, "--force", "--state", runs.place, "--json")
    trained = everlearn.run(*words, "--data", tmp_path / "trainer")
    (verdict,) = trained.json()["verdicts"]
    assert "snapshot 1 of" in trained.err and "2 pushed" in trained.err
    runs.run(runs.prices.grow())
    models = everlearn.run("models", "list", "--data", runs.data, "--json").json()["models"]
    assert [model["id"] for model in models] == [verdict["model"]]
    # A refusal travels as well: the verdict is part of the state.
    refused = everlearn.run(*words, "--validate", "--data", tmp_path / "trainer-2", status=None)
    assert refused.status in (0, 1) and "4 pushed" in refused.err
