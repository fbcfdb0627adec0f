"""Commands of the documentation that no sandbox can run, and the file that shows for each that it works.

A block that is marked `elsewhere` may have these commands only. The evidence is a file and words in it: the
test that is meant has to be there still.
"""

_CI = ".ci/run"
_FIRST = ".ci/first-five-minutes"
_IMAGE = "tests/container/test_image.py"
_COMPOSE = "tests/container/test_compose.py"
_SYSTEMD = "tests/container/test_systemd.py"

ELSEWHERE: dict[str, tuple[str, str]] = {
    "make build": (_CI, "make test"),
    "make check": (_CI, "make test"),
    "make test": (_CI, "make test"),
    "make serve": (_FIRST, '"make serve"'),
    "python3 scripts/release_notes.py": (
        "tests/scripts/test_release_notes.py",
        "def test_unreleased_becomes_a_version",
    ),
    "make -s release-notes": (
        "tests/scripts/test_release_notes.py",
        "def test_notes_are_what_stands_below_the_version",
    ),
    "make package-test": ("Makefile", "scripts/package_test.py"),
    "make bench": ("Makefile", "benchmarks/run.py"),
    "PYTHONPATH=src .venv/bin/python -m pytest tests/broker": ("Makefile", "$(PYTEST) --core interpreted"),
    "supersoniq data /var/lib/supersoniq": ("tests/cli/test_data.py", "def test_"),
    "supersoniq dump orders": ("tests/cli/test_dump.py", "def test_"),
    "supersoniq verify /var/lib/supersoniq": ("tests/cli/test_verify.py", "def test_"),
    "supersoniq backup /var/lib/supersoniq": ("tests/cli/test_backup.py", "def test_"),
    "supersoniq repair /var/lib/supersoniq": ("tests/cli/test_repair.py", "def test_"),
    "SUPERSONIQ_MANAGEMENT=off": ("tests/faults/test_backup.py", "def test_"),
    "SUPERSONIQ_TLS_CERTIFICATE=server.crt": ("tests/cli/test_serve_tls.py", "def test_sighup_gives_new"),
    "kill -HUP": ("tests/cli/test_serve_tls.py", "send_signal(signal.SIGHUP)"),
    "supersoniq config --rabbitmq-conf": ("tests/cli/test_config.py", '"--rabbitmq-conf", str(conf)'),
    "docker build": ("tests/container/images.py", '"build"'),
    "docker run -d --name broker": (_IMAGE, "def test_messages_are_in_the_volume_when_the_container_is_gone"),
    "docker run -d --read-only": (_IMAGE, "def test_it_needs_no_privilege_and_writes_nothing_but_its_data"),
    "docker exec broker supersoniq ping": (_IMAGE, "def test_engine_sees_it_healthy"),
    "docker logs": ("tests/container/engine.py", '"logs"'),
    "docker stop": (_IMAGE, "def test_stop_closes_clients_and_ends_with_zero"),
    "docker compose up --build": (_COMPOSE, '"up"'),
    "docker compose restart broker": (_COMPOSE, '"restart", "broker"'),
    "docker compose logs": (_COMPOSE, '"logs"'),
    "python3 -m venv /opt/supersoniq": ("tests/container/systemd.Dockerfile", "/opt/supersoniq"),
    "/opt/supersoniq/bin/pip install .": ("tests/container/systemd.Dockerfile", "/opt/supersoniq"),
    "cp deploy/systemd/supersoniq.service": ("tests/container/systemd.Dockerfile", "supersoniq.service"),
    "systemctl": (_SYSTEMD, '"systemctl"'),
    "/opt/supersoniq/bin/supersoniq ping": (_SYSTEMD, '"ping"'),
    "kubectl apply": ("tests/deploy/test_files.py", "def test_kubernetes_takes_the_manifests"),
}
