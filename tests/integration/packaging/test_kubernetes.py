# SPDX-License-Identifier: Apache-2.0
"""The manifests for Kubernetes: what they promise of the container holds for the daemon, and their
configurations are good."""

import os
import re
import shutil
import subprocess

import pytest

from rig.settings import DEADLINE, RPCGATED, TOP

yaml = pytest.importorskip("yaml", reason="there is no PyYAML")

FOLDER = TOP / "packaging/kubernetes"
FILES = ["deployment.yaml", "sidecar.yaml"]
VALIDATE = TOP / "tests/integration/packaging/kubernetes.cjs"


def documents(name: str) -> dict[str, dict]:
    return {one["kind"]: one for one in yaml.safe_load_all((FOLDER / name).read_text())}


def gateway_container(pod: dict) -> dict:
    return next(one for one in pod.get("initContainers", []) + pod["containers"]
                if one["name"] == "rpcgate")


@pytest.fixture(params=FILES)
def manifest(request):
    kinds = documents(request.param)
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    return kinds, pod, gateway_container(pod)


@pytest.fixture
def show(manifest, tmp_path):
    """The configuration, in a folder of its own beside its secrets: what --test says of it, and
    the settings in force."""
    kinds, _, container = manifest
    (config,) = kinds["ConfigMap"]["data"].values()
    file = tmp_path / "rpcgate.conf"
    file.write_text(config)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, text in kinds["Secret"]["stringData"].items():
        (secrets / name).write_text(text)
    if "tls.crt" in kinds["Secret"]["stringData"]:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=rpcgate", "-days", "2",
                        "-keyout", secrets / "tls.key", "-out", secrets / "tls.crt"],
                       check=True, stderr=subprocess.DEVNULL, timeout=DEADLINE)

    def show(option):
        done = subprocess.run([str(RPCGATED), option, "--config", str(file)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env=os.environ | {"CREDENTIALS_DIRECTORY": str(secrets)},
                              timeout=DEADLINE)
        return done.stdout
    return show


def test_the_configuration_is_good(show):
    assert show("--test") == "ok\n"


def seconds(shown: str, name: str) -> float:
    number, unit = re.search(rf'\b{name} = "(\d+)(ms|s|m)"', shown).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]


def test_it_may_end_in_peace(manifest, show):
    _, pod, _ = manifest
    shown = show("--show-config")
    assert pod["terminationGracePeriodSeconds"] > (seconds(shown, "drain")
                                                   + seconds(shown, "lame_duck"))


def test_probes_ask_a_listener_that_needs_no_token(manifest, show):
    _, _, container = manifest
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    probes = {name: probe["httpGet"] for name, probe in container.items() if name.endswith("Probe")}
    assert {"startupProbe", "livenessProbe"} <= set(probes)
    assert probes["livenessProbe"]["path"] == "/livez"
    assert all(probe["port"] == "health" for probe in probes.values())
    assert {probe["path"] for probe in probes.values()} <= {"/livez", "/readyz"}
    listener = re.search(rf"\{{[^{{}}]*port = {ports['health']};[^{{}}]*\}}",
                         show("--show-config"), re.S)
    assert '"health"' in listener[0] and '"0.0.0.0"' in listener[0]


def test_it_has_no_rights(manifest):
    _, pod, container = manifest
    rights = pod["securityContext"] | container["securityContext"]
    assert rights["runAsNonRoot"] is True and rights["runAsUser"] > 0
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


def test_secrets_are_credentials(manifest):
    kinds, pod, container = manifest
    text = kinds["ConfigMap"]["data"]["rpcgate.conf"]
    named = set(re.findall(r"\$\{credential(?:_path)?:([^}]+)\}", text))
    assert named == set(kinds["Secret"]["stringData"])
    mounts = {one["name"]: one for one in container["volumeMounts"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert {"name": "CREDENTIALS_DIRECTORY",
            "value": mounts["secrets"]["mountPath"]} in container["env"]
    assert volumes["secrets"]["secret"]["secretName"] == kinds["Secret"]["metadata"]["name"]
    assert volumes["config"]["configMap"]["name"] == kinds["ConfigMap"]["metadata"]["name"]
    others = [one for one in pod["containers"] if one["name"] != "rpcgate"]
    assert not any(mount["name"] == "secrets" for one in others
                   for mount in one.get("volumeMounts", ()))


def test_the_service_leads_to_the_pods(manifest):
    kinds, _, container = manifest
    labels = kinds["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert kinds["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    if "Service" not in kinds:
        return
    service = kinds["Service"]["spec"]
    assert service["selector"] == labels
    assert [one["targetPort"] for one in service["ports"]] == ["api"]
    assert "api" in {one["name"] for one in container["ports"]}
    target = kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    deployment = kinds["Deployment"]
    assert target == {"apiVersion": deployment["apiVersion"], "kind": "Deployment",
                      "name": deployment["metadata"]["name"]}
    assert "replicas" not in deployment["spec"]
    # A share of nothing is nothing.
    assert "cpu" in container["resources"]["requests"]


def test_memory_is_enough(manifest, show):
    _, _, container = manifest
    size = re.search(r'memory = "(\d+)M"', show("--show-config"))[1]
    limit = re.fullmatch(r"(\d+)Mi", container["resources"]["limits"]["memory"])[1]
    assert int(limit) >= 2 * int(size)


def test_the_types_of_kubernetes():
    """By npm's kubernetes-models, where NODE_PATH leads to it."""
    node = shutil.which("node")
    if node is None or subprocess.run([node, "-e", "require('kubernetes-models'); require('yaml')"],
                                      capture_output=True, check=False,
                                      timeout=DEADLINE).returncode:
        pytest.skip("there is no kubernetes-models in NODE_PATH")
    done = subprocess.run([node, VALIDATE, *(FOLDER / name for name in FILES)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          timeout=DEADLINE)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" ok\n") == sum(len(documents(name)) for name in FILES)
