"""compose.yaml, deploy/kubernetes and the Dockerfile, as far as reading them can tell: no engine.

Schemas: https://docs.docker.com/reference/compose-file/, https://kubernetes.io/docs/reference/
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from routers.network import SEND_LIMIT
from service.settings import Settings, names_of
from tests.documents import ROOT, blocks, text_of
from tests.running import environment

TOOLS = Path(sys.executable).parent
HAPROXY = ROOT / "deploy" / "compose" / "haproxy.cfg"
KUBERNETES = ROOT / "deploy" / "kubernetes"
NEEDED = {
    "SECRETS_FOLDER": "secrets",
    "RULES_FOLDER": "rules",
    "POINTSMAN_PUBLIC_URL": "https://pointsman.example.com",
}
KNOWN = {name for field in Settings.model_fields for name in names_of(field)}
UNPRIVILEGED = 10001


def compose(*words: str, **given: str) -> "subprocess.CompletedProcess[str]":
    command = [TOOLS / "docker-compose", "-f", ROOT / "compose.yaml", *words]
    kept = {name: value for name, value in environment().items() if name not in NEEDED}
    return subprocess.run(
        command, env=kept | given, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    answer = compose("config", **NEEDED)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = yaml.safe_load(answer.stdout)["services"]
    return found


def objects() -> list[dict[str, Any]]:
    files = sorted(KUBERNETES.glob("*.yaml"))
    found = [one for file in files for one in yaml.safe_load_all(file.read_text())]
    return [one for one in found if one["kind"] != "Kustomization"]


def the(kind: str, name: str = "pointsman") -> dict[str, Any]:
    (found,) = [one for one in objects() if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


PODS = [the("StatefulSet")["spec"]["template"], the("Job", "pointsman-migrate")["spec"]["template"]]


def settings_of(pod: dict[str, Any]) -> dict[str, str]:
    (container,) = pod["spec"]["containers"]
    names = [one["configMapRef"]["name"] for one in container["envFrom"] if "configMapRef" in one]
    return {key: value for name in names for key, value in the("ConfigMap", name)["data"].items()}


@pytest.mark.parametrize("missing", NEEDED)
def test_compose_starts_nothing_without_what_only_the_operator_knows(missing: str) -> None:
    answer = compose("config", **{name: NEEDED[name] for name in NEEDED if name != missing})
    assert answer.returncode != 0
    assert f"required variable {missing} is missing" in answer.stderr


def test_two_replicas_stand_behind_a_proxy_each_with_a_spool_of_its_own(
    services: dict[str, Any],
) -> None:
    assert set(services) == {"postgres", "migrate", "pointsman-1", "pointsman-2", "proxy"}
    volumes = [services[name]["volumes"][0] for name in ("pointsman-1", "pointsman-2")]
    assert [volume["target"] for volume in volumes] == ["/data", "/data"]
    assert volumes[0]["source"] != volumes[1]["source"]
    proxied = re.findall(r"server \w+ (\S+):8000", HAPROXY.read_text())
    assert proxied == ["pointsman-1", "pointsman-2"]
    assert [name for name in services if "ports" in services[name]] == ["proxy"]


def test_the_proxy_asks_who_is_ready_and_tries_the_other_where_one_cannot_be_connected() -> None:
    said = HAPROXY.read_text()
    assert "option httpchk GET /readyz" in said
    assert {"retry-on conn-failure", "option redispatch 1"} <= set(map(str.strip, said.split("\n")))


@pytest.mark.parametrize(("folder", "tls"), [("", ""), ("certificates", "yes")])
def test_the_proxy_speaks_tls_where_it_is_given_a_certificate(folder: str, tls: str) -> None:
    given = NEEDED | {"TLS_FOLDER": folder} if folder else NEEDED
    proxy = yaml.safe_load(compose("config", **given).stdout)["services"]["proxy"]
    assert proxy["environment"]["TLS"] == tls
    assert ("/dev/null" in str(proxy["volumes"])) is not bool(tls)


@pytest.mark.parametrize("name", ["migrate", "pointsman-1", "pointsman-2", "proxy"])
def test_what_compose_runs_has_no_more_rights_than_it_needs(
    services: dict[str, Any], name: str
) -> None:
    service = services[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "user" not in service  # the image's, which is not root
    assert service["mem_limit"]


def test_compose_brings_the_schema_up_to_date_before_it_serves(services: dict[str, Any]) -> None:
    assert services["migrate"]["command"] == ["pointsman", "migrate"]
    waits = services["pointsman-1"]["depends_on"]["migrate"]["condition"]
    assert waits == "service_completed_successfully"


def test_every_setting_that_is_deployed_is_one(services: dict[str, Any]) -> None:
    deployed = {name for one in services.values() for name in one.get("environment", ())}
    for pod in PODS:
        deployed |= set(settings_of(pod))
    ours = {name.removesuffix("_FILE") for name in deployed if name.startswith("POINTSMAN_")}
    assert sorted(ours - KNOWN) == []


def test_secrets_come_from_files_alone(services: dict[str, Any]) -> None:
    given = [one.get("environment", {}) for one in services.values()] + list(map(settings_of, PODS))
    secret = re.compile("DATABASE_URL|KEYS|TOKEN|PASSWORD|SECRET")
    named = {name for one in given for name in one if secret.search(name)}
    assert len(named) == 4
    assert [name for name in named if not name.endswith("_FILE")] == []
    assert [one for one in objects() if one["kind"] == "Secret"] == []


def test_the_secrets_that_are_shown_are_those_that_compose_reads(tmp_path: Path) -> None:
    (block,) = blocks("sh secrets")
    subprocess.run(["/bin/sh", "-eu", "-c", block.text], cwd=tmp_path, check=True, env=os.environ)
    answer = compose("config", **NEEDED | {"SECRETS_FOLDER": str(tmp_path / "secrets")})
    files = [one["file"] for one in yaml.safe_load(answer.stdout)["secrets"].values()]
    texts = {Path(file).name: Path(file).read_text().strip() for file in files}
    assert set(texts) == {"postgres_password", "database_url", "ingest_keys", "admin_token"}
    assert f":{texts['postgres_password']}@postgres/" in texts["database_url"]
    assert min(map(len, texts.values())) > 30


@pytest.mark.parametrize(
    "given", objects(), ids=lambda one: f"{one['kind']}:{one['metadata']['name']}"
)
@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_kubernetes_takes_every_object(given: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(given, version, strict=True)


def test_a_misspelt_key_of_an_object_is_found() -> None:
    wrong = the("Service") | {"spce": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


def test_every_file_is_applied() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    files = {file.name for file in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == files


@pytest.mark.parametrize("pod", PODS, ids=["serve", "migrate"])
def test_a_pod_is_not_root_and_writes_to_its_volumes_only(pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    assert pod["spec"]["securityContext"]["runAsUser"] == UNPRIVILEGED
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"/data", "/tmp"} <= {mount["mountPath"] for mount in container["volumeMounts"]}  # noqa: S108
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("pod", PODS, ids=["serve", "migrate"])
def test_no_link_to_our_own_service_is_taken_for_a_setting(pod: dict[str, Any]) -> None:
    """Kubernetes would set POINTSMAN_PORT=tcp://… for a Service of that name."""
    assert pod["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("pod", PODS, ids=["serve", "migrate"])
def test_every_volume_that_is_mounted_is_there(pod: dict[str, Any]) -> None:
    claims = the("StatefulSet")["spec"]["volumeClaimTemplates"]
    there = {one["name"] for one in pod["spec"]["volumes"]}
    there |= {one["metadata"]["name"] for one in claims}
    (container,) = pod["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} <= there


def test_the_spool_lies_on_a_volume_that_outlives_its_pod() -> None:
    stateful = the("StatefulSet")["spec"]
    (container,) = stateful["template"]["spec"]["containers"]
    places = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    spool = Path(settings_of(stateful["template"])["POINTSMAN_SPOOL"])
    assert places[str(spool.parent)] == stateful["volumeClaimTemplates"][0]["metadata"]["name"]
    assert stateful["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


def test_a_pod_has_the_time_that_its_end_takes() -> None:
    template = the("StatefulSet")["spec"]["template"]["spec"]
    (container,) = template["containers"]
    code = container["lifecycle"]["preStop"]["exec"]["command"][-1]
    compile(code, "preStop", "exec")
    (before,) = re.findall(r"ends = time\.monotonic\(\) \+ (\d+)", code)
    drain = int(settings_of({"spec": template})["POINTSMAN_DRAIN_SECONDS"])
    takes = int(before) + drain + SEND_LIMIT.total_seconds()
    assert template["terminationGracePeriodSeconds"] >= takes + 5


def test_what_a_pod_waits_for_at_its_end_is_what_readyz_says() -> None:
    (container,) = the("StatefulSet")["spec"]["template"]["spec"]["containers"]
    code = container["lifecycle"]["preStop"]["exec"]["command"][-1]
    (word,) = re.findall(r'b"(\w+):"', code)
    assert f"| `{word}` |" in text_of("docs/operating.md")
    assert f'f"{word}: ' in text_of("service/endpoints/health.py")


def test_compose_leaves_the_time_that_an_end_takes(services: dict[str, Any]) -> None:
    (seconds,) = re.findall(r"^(\d+)s$", services["pointsman-1"]["stop_grace_period"])
    assert int(seconds) >= Settings().drain_seconds + SEND_LIMIT.total_seconds() + 5


def test_probes_ask_what_live_and_ready_mean() -> None:
    (container,) = the("StatefulSet")["spec"]["template"]["spec"]["containers"]
    asked = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")
    }
    assert asked == {"liveness": "/healthz", "readiness": "/readyz"}


@pytest.mark.parametrize("name", ["pointsman", "pointsman-pods"])
def test_a_service_and_a_budget_select_the_pods_that_serve(name: str) -> None:
    labels = the("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    assert the("Service", name)["spec"]["selector"].items() <= labels.items()
    budget = the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
    assert budget.items() <= labels.items()
    assert not budget.items() <= PODS[1]["metadata"]["labels"].items()


def test_the_dockerfile_has_nothing_that_hadolint_minds() -> None:
    answer = subprocess.run(
        [TOOLS / "hadolint", "--no-color", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (0, "")
