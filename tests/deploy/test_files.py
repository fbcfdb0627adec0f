"""What is in deploy/, compose.yaml and .github/ follows its schema, and its parts fit together."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from supersoniq.config import Settings

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


def by_schema(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Check files by a schema that comes with check-jsonschema."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


def test_compose_file_follows_its_specification() -> None:
    done = by_schema("vendor.compose-spec", ROOT / "compose.yaml")
    assert done.returncode == 0, done.stdout


def test_workflows_follow_their_schema() -> None:
    done = by_schema("vendor.github-workflows", *sorted((ROOT / ".github" / "workflows").glob("*.yml")))
    assert done.returncode == 0, done.stdout


def test_compose_file_mounts_what_is_there() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    mounts = [text for each in services.values() for text in each.get("volumes", []) if text.startswith("./")]
    assert mounts
    assert [text for text in mounts if not (ROOT / text.partition(":")[0]).exists()] == []


def test_compose_waits_longer_than_the_broker_needs_to_stop() -> None:
    broker = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["broker"]
    grace_seconds = int(broker["stop_grace_period"].removesuffix("s"))
    assert grace_seconds * 1000 > 2 * Settings().shutdown_grace_ms


def manifests() -> Iterator[dict[str, Any]]:
    """Every object of the manifests."""
    for path in MANIFESTS:
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def only(kind: str) -> dict[str, Any]:
    (found,) = [each for each in manifests() if each["kind"] == kind]
    return found


def test_kubernetes_takes_the_manifests() -> None:
    files = [str(path) for path in MANIFESTS if path.name != "kustomization.yaml"]
    done = subprocess.run(
        [Path(sys.executable).parent / "kubernetes-validate", "--strict", *files],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count("passed") == len(list(manifests()))


def test_kustomization_names_every_manifest() -> None:
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8"))[
        "resources"
    ]
    assert sorted([*listed, "kustomization.yaml"]) == [path.name for path in MANIFESTS]


def test_selectors_find_the_pods() -> None:
    labels = only("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    selectors = [only("StatefulSet")["spec"]["selector"], only("PodDisruptionBudget")["spec"]["selector"]]
    services = [each["spec"]["selector"] for each in manifests() if each["kind"] == "Service"]
    for selector in [*[each["matchLabels"] for each in selectors], *services]:
        assert selector.items() <= labels.items()


def test_names_that_manifests_use_are_there() -> None:
    names = {(each["kind"], each["metadata"]["name"]) for each in manifests()}
    spec = only("StatefulSet")["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert ("Service", spec["serviceName"]) in names
    assert {("Secret", each["secretRef"]["name"]) for each in container["envFrom"]} <= names
    assert {("ConfigMap", each["configMap"]["name"]) for each in pod["volumes"]} <= names
    ports = {port["name"] for port in container["ports"]}
    targets = {
        port["targetPort"]
        for each in manifests()
        if each["kind"] == "Service"
        for port in each["spec"]["ports"]
    }
    assert targets <= ports


def test_settings_of_the_config_map_are_settings(tmp_path: Path) -> None:
    from supersoniq.config import load

    path = tmp_path / "supersoniq.toml"
    path.write_text(only("ConfigMap")["data"]["supersoniq.toml"], encoding="utf-8")
    settings = load({}, only("Secret")["stringData"], path).settings
    grace_seconds = only("StatefulSet")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert settings.shutdown_grace_ms < grace_seconds * 1000 / 2


def panels(dashboard: Path) -> list[dict[str, Any]]:
    return list(json.loads(dashboard.read_text(encoding="utf-8"))["panels"])


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.name)
def test_panels_stand_beside_each_other(dashboard: Path) -> None:
    cells: dict[tuple[int, int], str] = {}
    for panel in panels(dashboard):
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                assert (x, y) not in cells, f"{panel['title']} covers {cells[x, y]}"
                cells[x, y] = panel["title"]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.name)
def test_panels_have_ids_and_read_from_the_provisioned_source(dashboard: Path) -> None:
    folder = DEPLOY / "grafana" / "provisioning" / "datasources"
    sources = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))["datasources"]
    ids = sorted(panel["id"] for panel in panels(dashboard))
    assert all(one < other for one, other in pairwise(ids))
    read = {target["datasource"]["uid"] for panel in panels(dashboard) for target in panel.get("targets", [])}
    assert read == {source["uid"] for source in sources}


def test_unit_sets_only_what_is_a_setting() -> None:
    text = (DEPLOY / "systemd" / "supersoniq.service").read_text(encoding="utf-8")
    names = re.findall(r"SUPERSONIQ_([A-Z_]+)=", text)
    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)
