"""What holds for whatever the chart makes, with each set of values."""

import json
from collections import Counter
from itertools import chain

import pytest

from holdfast.chassis.grpc.server import DECLARE_S_MAX, STOP_GRACE_S
from holdfast.chassis.process.lifecycle import CANCEL_AGAIN_S
from tests.charts.chart import PARTS, Document, Rendered, container, part_of

pytestmark = pytest.mark.charts


def labels_of(document: Document) -> set[tuple[str, str]]:
    return set(document["metadata"]["labels"].items())


def test_it_is_what_helm_and_kubernetes_take(rendered: Rendered) -> None:
    assert not rendered.problems


def test_no_two_things_have_one_name(rendered: Rendered) -> None:
    names = Counter((one["kind"], one["metadata"]["name"]) for one in rendered.documents)

    assert max(names.values()) == 1


def test_nothing_runs_with_more_rights_than_it_needs(rendered: Rendered) -> None:
    for pod in rendered.pods():
        of_pod = pod["spec"]["securityContext"]
        assert of_pod["runAsNonRoot"] is True
        assert of_pod["runAsUser"] > 0
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["spec"]["automountServiceAccountToken"] is False
        (only,) = pod["spec"]["containers"]
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"name": "tmp", "mountPath": "/tmp"} in only["volumeMounts"]


def test_a_port_that_is_else_for_root_is_opened_to_the_pod_that_has_it(rendered: Rendered) -> None:
    for deployment in rendered.of_kind("Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        ports = [one["containerPort"] for one in container(deployment)["ports"]]
        opened = [one["name"] for one in pod["securityContext"].get("sysctls", [])]
        is_low = min(ports) < 1024
        assert opened == ["net.ipv4.ip_unprivileged_port_start"] * is_low


def test_kubernetes_adds_no_settings_of_its_own(rendered: Rendered) -> None:
    """A Service called holdfast-orders would be HOLDFAST_ORDERS_PORT in the environment of every
    pod, and that is no setting: Orders would refuse to start.
    """
    assert all(pod["spec"]["enableServiceLinks"] is False for pod in rendered.pods())


def test_no_container_takes_a_node_for_itself(rendered: Rendered) -> None:
    for pod in rendered.pods():
        for one in pod["spec"]["containers"]:
            assert one["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in one["resources"]["limits"]


def test_one_lost_pod_leaves_another(rendered: Rendered) -> None:
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"]["minReplicas"]
        for one in rendered.of_kind("HorizontalPodAutoscaler")
    }

    for deployment in map(rendered.deployment, parts_with_others(rendered)):
        spec = deployment["spec"]
        # A number of pods beside an autoscaler would undo what it did, at every upgrade.
        assert ("replicas" in spec) != (deployment["metadata"]["name"] in scaled)
        assert spec.get("replicas", scaled.get(deployment["metadata"]["name"])) >= 2
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"] == spec["selector"]


def parts_with_others(rendered: Rendered) -> list[str]:
    """Those that go on where a pod is lost; the console has its sessions in its memory."""
    return [part for part in map(part_of, rendered.of_kind("Deployment")) if part != "console"]


def test_of_the_console_there_is_one_pod_at_a_time(rendered: Rendered) -> None:
    for one in rendered.of_kind("Deployment"):
        if part_of(one) == "console":
            assert one["spec"]["replicas"] == 1
            assert one["spec"]["strategy"] == {"type": "Recreate"}


def test_what_selects_pods_finds_those_of_one_service(rendered: Rendered) -> None:
    pods = {part_of(one): labels_of(one) for one in rendered.pods()}
    of_kinds = map(
        rendered.of_kind,
        ("Deployment", "PodDisruptionBudget", "PodMonitor", "Service", "NetworkPolicy"),
    )

    for one in chain.from_iterable(of_kinds):
        spec = one["spec"]
        selector = spec.get("podSelector") or spec["selector"]
        wanted = set(selector.get("matchLabels", selector).items())
        assert [part for part, labels in pods.items() if wanted <= labels] == [part_of(one)]


def test_every_service_has_a_budget_that_lets_nodes_be_emptied(rendered: Rendered) -> None:
    budgets = {part_of(one): one["spec"] for one in rendered.of_kind("PodDisruptionBudget")}

    assert budgets.keys() == set(parts_with_others(rendered))
    for spec in budgets.values():
        assert spec["maxUnavailable"] not in (0, "0%")
        assert "minAvailable" not in spec


def test_kubernetes_asks_whether_it_lives(rendered: Rendered) -> None:
    for deployment in rendered.of_kind("Deployment"):
        asked_whether_it_lives(container(deployment))


def asked_whether_it_lives(only: Document) -> None:
    ports = {one["name"]: one["containerPort"] for one in only["ports"]}

    probes = [only[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")]

    speaks_tls = any(one["name"].endswith("_TLS_CERTIFICATE") for one in only["env"])
    if "admin-0" in ports:
        paths = [(probe["httpGet"]["path"], probe["httpGet"]["port"]) for probe in probes]
        admin = ports["admin-0"]
        assert paths == [("/readyz", admin), ("/readyz", admin), ("/healthz", admin)]
    else:
        assert not speaks_tls, "Kubernetes' gRPC probes speak no TLS"
        assert all(probe["grpc"] == {"port": ports["grpc"]} for probe in probes)
    # Taken out of the rotation long before it is killed.
    ready, alive = probes[1:]
    assert ready["periodSeconds"] * ready["failureThreshold"] <= 10
    assert alive["periodSeconds"] * alive["failureThreshold"] >= 60


def test_a_pod_that_ends_may_finish_what_it_began(rendered: Rendered) -> None:
    for deployment in rendered.of_kind("Deployment"):
        waits_s = container(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]

        given_s = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]

        assert given_s > waits_s + STOP_GRACE_S + CANCEL_AGAIN_S + DECLARE_S_MAX + 10


def test_every_file_that_a_setting_names_is_mounted_and_outlives_its_pod(
    rendered: Rendered,
) -> None:
    for deployment in rendered.of_kind("Deployment"):
        pod, only = deployment["spec"]["template"]["spec"], container(deployment)
        folders = {one["mountPath"]: one["name"] for one in only["volumeMounts"]}
        volumes = {one["name"]: one for one in pod["volumes"]}

        files = [one["value"] for one in only["env"] if one.get("value", "").startswith("/")]

        assert folders.values() == volumes.keys() or set(folders.values()) == set(volumes)
        for file in files:
            folder, _, name = file.rpartition("/")
            if file in folders:
                assert "configMap" in volumes[folders[file]]
                continue
            if "persistentVolumeClaim" in volumes[folders[folder]]:
                continue  # what is written there, it makes itself
            secret = volumes[folders[folder]]["secret"]
            items = [one["path"] for one in secret.get("items", [])]
            assert name in (items or ["tls.crt", "tls.key", "ca.crt"])


def test_a_password_stands_in_secrets_alone(rendered: Rendered) -> None:
    for one in rendered.documents:
        assert (one["kind"] == "Secret") == ("hunter2" in json.dumps(one))
    assert "hunter2" not in rendered.notes
    assert not rendered.of_kind("ConfigMap")


def test_a_secret_is_there_when_it_is_needed(rendered: Rendered) -> None:
    """What is made before an install finds only Secrets that are made before it, or by others."""
    made = {one["metadata"]["name"]: one for one in rendered.of_kind("Secret")}
    # Names that values give, and not the chart.
    theirs = {f"{part}-addresses" for part in PARTS} | {"owner-of-tables"}

    for kind in ("Deployment", "Job"):
        for workload in rendered.of_kind(kind):
            hook = workload["metadata"].get("annotations", {})
            for variable in container(workload)["env"]:
                wanted = variable.get("valueFrom", {}).get("secretKeyRef")
                if not wanted or wanted["name"] in theirs:
                    continue
                secret = made[wanted["name"]]
                assert wanted["key"] in secret["stringData"] or wanted.get("optional")
                before = secret["metadata"].get("annotations", {})
                assert before.get("helm.sh/hook") == hook.get("helm.sh/hook")
                if hook:
                    assert int(before["helm.sh/hook-weight"]) < int(hook["helm.sh/hook-weight"])


def test_the_notes_say_what_to_type_next(rendered: Rendered) -> None:
    for one in rendered.of_kind("Service"):
        name = one["metadata"]["name"]
        if not name.endswith("-http"):
            assert f"port-forward service/{name} " in rendered.notes
    assert "export HOLDFAST_KEY=" in rendered.notes
    assert "holdfast order create" in rendered.notes
