#!/usr/bin/env python3
"""The compose files, the Kubernetes manifests and the Dockerfile, as far as they can be checked
without an engine: they parse, what they name exists, otpd takes their configuration, and nothing
runs with more rights than it needs. OTPD_BUILD_DIR says where otpd is (build/release)."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("OTPD_BUILD_DIR", ROOT / "build" / "release")).resolve()
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
MODES = ("embedded", "cluster")
ROLES = ("api", "worker", "audit")
VERSION = re.search(r"project\(otpd VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
POD_KINDS = ("Deployment", "StatefulSet")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("OTPD")}


def otpd(*words, **environment):
    """(exit status, output) of otpd with these words and no other OTPD_ variables than these."""
    ran = subprocess.run([BUILD / "otpd", *words], env=CLEAN | environment, text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ran.returncode, ran.stdout


def fresh_secrets():
    """What make-secrets prints, as a dictionary."""
    said = subprocess.run([DEPLOY / "compose/make-secrets"], check=True, text=True,
                          env=CLEAN | {"OTPD": str(BUILD / "otpd")},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pairs = re.findall(r"^(\w+)='?(.*?)'?$", said.stdout, re.M)
    key = re.search(r"otpk_\S+", said.stderr).group(0)
    return dict(pairs), key


def compose(mode):
    return yaml.safe_load((DEPLOY / f"compose/{mode}.yaml").read_text())


def manifests(mode):
    """Every object of a mode's kustomization, and those of the example of its Secrets."""
    folder = KUBERNETES / mode
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [each for name in [*listed, "secret.example.yaml"]
            for each in yaml.safe_load_all((folder / name).read_text())]


def of_kind(mode, *kinds):
    return [each for each in manifests(mode) if each["kind"] in kinds]


def names(mode, kind):
    return {each["metadata"]["name"] for each in of_kind(mode, kind)}


def pods(mode):
    """(name, labels, pod spec) of everything that runs."""
    for each in of_kind(mode, *POD_KINDS):
        template = each["spec"]["template"]
        yield each["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def containers(mode):
    for name, _, spec in pods(mode):
        for container in spec.get("initContainers", []) + spec["containers"]:
            yield f"{name}/{container['name']}", container


def selects(selector, labels):
    return selector.get("matchLabels", {}).items() <= labels.items()


def default_ms(key):
    return int(re.search(rf"^{key} = (\d+)$", otpd("config", "default")[1], re.M).group(1))


class ConfigurationTest(unittest.TestCase):
    """otpd itself says whether what it is given can be used."""

    def check(self, text, **environment):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            status, said = otpd("config", "check", "--config", file.name, **environment)
        self.assertEqual(status, 0, said)

    def test_the_package(self):
        self.check((DEPLOY / "debian/otpd.toml").read_text())

    def test_compose(self):
        secrets, _ = fresh_secrets()
        for mode in MODES:
            text = (DEPLOY / f"compose/{mode}.toml").read_text()
            for name, service in compose(mode)["services"].items():
                if service["image"].startswith("otpd:"):
                    role = dict(zip(service.get("command", [])[::2],
                                    service.get("command", [])[1::2])).get("--role")
                    self.assertEqual(role in ROLES, mode == "cluster", name)
                    environment = {key: re.sub(r"\$\{(\w+):\?[^}]*\}",
                                               lambda m: secrets[m.group(1)], value)
                                   for key, value in service["environment"].items()}
                    self.check(text, **environment, **({"OTPD_SERVER_ROLE": role} if role else {}))

    def test_kubernetes(self):
        secrets, _ = fresh_secrets()
        secrets["OTPD_POSTGRES_URL"] = "postgresql://otpd@db.internal/otpd?sslmode=verify-full"
        secrets["OTPD_PROVIDERS_TWILIO_AUTH_TOKEN"] = "token"
        for mode in MODES:
            config = next(each for each in of_kind(mode, "ConfigMap")
                          if each["metadata"]["name"] == "otpd-config")
            secret = next(each for each in of_kind(mode, "Secret")
                          if each["metadata"]["name"] == "otpd-secrets")
            self.assertEqual(set(secret["stringData"].values()), {""}, "an example has no values")
            environment = {key: secrets[key] for key in secret["stringData"]}
            for name, container in containers(mode):
                if container["name"] != "otpd":
                    continue
                role = container.get("args", [None, None])[1]
                self.assertEqual(role in ROLES, mode == "cluster", name)
                # The file is not here: another test sees that it is mounted.
                text = config["data"]["otpd.toml"].replace("/etc/otpd/tls/ca.crt",
                                                           "/etc/ssl/certs/ca-certificates.crt")
                self.check(text, **environment, **({"OTPD_SERVER_ROLE": role} if role else {}))

    def test_make_secrets_prints_a_key_that_its_hash_knows(self):
        secrets, key = fresh_secrets()
        again, _ = fresh_secrets()
        ring = json.loads(secrets["OTPD_CRYPTO_KEYS"])
        self.assertIsInstance(ring, dict)
        for name, value in secrets.items():
            self.assertGreaterEqual(len(value), 32, name)
            self.assertNotEqual(value, again[name], name)
        self.assertRegex(key, r"^otpk_[\w-]{40,}$")


class ComposeTest(unittest.TestCase):
    def services(self):
        for mode in MODES:
            parsed = compose(mode)
            for name, service in parsed["services"].items():
                yield parsed, f"{mode}/{name}", service

    def test_what_is_named_exists(self):
        for parsed, name, service in self.services():
            for other in service.get("depends_on", {}):
                self.assertIn(other, parsed["services"], name)
            for network in service.get("networks", []):
                self.assertIn(network, parsed["networks"], name)
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((DEPLOY / "compose" / source).exists(), volume)
                else:
                    self.assertIn(source, parsed["volumes"], name)
            if "build" in service:
                folder = DEPLOY / "compose" / service["build"]["context"]
                dockerfile = (folder / service["build"]["dockerfile"]).read_text()
                self.assertRegex(dockerfile, rf"(?m)^FROM \S+ AS {service['build']['target']}$")

    def test_every_secret_comes_from_make_secrets(self):
        secrets, _ = fresh_secrets()
        for mode in MODES:
            text = (DEPLOY / f"compose/{mode}.yaml").read_text()
            wanted = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
            self.assertLessEqual(wanted, secrets.keys())
            for used in set(re.findall(r"\$\$(\w+)", text)) - {"status"}:
                self.assertIn(used, secrets)

    def test_nothing_is_open_to_other_machines(self):
        for _, name, service in self.services():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), name)

    def test_images_are_fixed_and_ours_are_of_this_version(self):
        for _, name, service in self.services():
            image, tag = service["image"].split(":")
            self.assertNotEqual(tag, "latest", name)
            self.assertTrue(not image.startswith("otpd") or tag == VERSION, name)

    def test_rights(self):
        for _, name, service in self.services():
            self.assertIn("no-new-privileges:true", service["security_opt"], name)
            if service["image"].startswith("postgres"):  # its entrypoint changes the user
                continue
            self.assertEqual(service["cap_drop"], ["ALL"], name)
            self.assertTrue(service["read_only"], name)
            self.assertRegex(service["user"], r"^[1-9]\d*:[1-9]\d*$", name)

    def test_otpd_has_time_to_end_in_order(self):
        needed_s = (default_ms("drain_timeout_ms") + default_ms("provider_timeout_ms")) / 1000
        for _, name, service in self.services():
            if service["image"].startswith("otpd:"):
                self.assertGreater(int(service["stop_grace_period"].rstrip("s")), needed_s, name)

    def test_the_cluster_is_whole(self):
        parsed = compose("cluster")
        nodes = {service["networks"]["net"]["ipv4_address"]
                 for name, service in parsed["services"].items() if re.fullmatch(r"redis-\d", name)}
        self.assertEqual(len(nodes), 6)
        job = "".join(parsed["services"]["redis-cluster"]["entrypoint"])
        self.assertEqual(set(re.findall(r"(\d+\.\d+\.\d+\.\d+):6379", job)), nodes)
        named = re.findall(r"\d+\.\d+\.\d+\.\d+(?=:6379)",
                           (DEPLOY / "compose/cluster.toml").read_text())
        self.assertLessEqual(set(named), nodes)
        roles = [service["command"][1] for service in parsed["services"].values()
                 if service["image"].startswith("otpd:")]
        self.assertEqual(sorted(roles), ["api", "api", "audit", "worker", "worker"])


class KubernetesTest(unittest.TestCase):
    def test_every_file_is_used(self):
        for mode in MODES:
            folder = KUBERNETES / mode
            listed = set(yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"])
            there = {path.name for path in folder.glob("*.yaml")}
            self.assertEqual(there - listed, {"kustomization.yaml", "secret.example.yaml"})

    def test_what_is_named_exists(self):
        for mode in MODES:
            for name, _, spec in pods(mode):
                self.assertIn(spec["serviceAccountName"], names(mode, "ServiceAccount"))
                for volume in spec["volumes"]:
                    if "configMap" in volume:
                        self.assertIn(volume["configMap"]["name"], names(mode, "ConfigMap"), name)
                    if "secret" in volume:
                        self.assertIn(volume["secret"]["secretName"], names(mode, "Secret"), name)
            for name, container in containers(mode):
                for source in container.get("envFrom", []):
                    self.assertIn(source["secretRef"]["name"], names(mode, "Secret"), name)
            for each in manifests(mode):
                if each["kind"] not in ("Namespace", "Kustomization"):
                    self.assertEqual(each["metadata"]["namespace"], "otpd", each["metadata"])

    def test_every_volume_is_mounted_and_every_mount_is_a_volume(self):
        for mode in MODES:
            for each in of_kind(mode, *POD_KINDS):
                spec = each["spec"]["template"]["spec"]
                volumes = {volume["name"] for volume in spec["volumes"]}
                volumes |= {claim["metadata"]["name"]
                            for claim in each["spec"].get("volumeClaimTemplates", [])}
                mounts = [mount for container in spec.get("initContainers", []) + spec["containers"]
                          for mount in container["volumeMounts"]]
                self.assertEqual({mount["name"] for mount in mounts}, volumes)
                paths = [mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]]
                self.assertIn("/etc/otpd", paths)
                self.assertIn("/var/lib/otpd", paths)
                if mode == "cluster":
                    self.assertIn("/etc/otpd/tls", paths)

    def test_selectors_find_their_pods(self):
        for mode in MODES:
            all_labels = [labels for _, labels, _ in pods(mode)]
            for each in of_kind(mode, *POD_KINDS):
                labels = each["spec"]["template"]["metadata"]["labels"]
                found = [one for one in all_labels if selects(each["spec"]["selector"], one)]
                self.assertEqual(found, [labels])
                for spread in each["spec"]["template"]["spec"].get("topologySpreadConstraints", []):
                    self.assertTrue(selects(spread["labelSelector"], labels))
            budgets = [each["spec"] for each in of_kind(mode, "PodDisruptionBudget")]
            for labels in all_labels:
                self.assertEqual(sum(selects(b["selector"], labels) for b in budgets), 1, labels)
            service, = of_kind(mode, "Service")
            found = [labels for labels in all_labels
                     if selects({"matchLabels": service["spec"]["selector"]}, labels)]
            self.assertEqual([labels.get("app.kubernetes.io/component") for labels in found],
                             ["api" if mode == "cluster" else None])
            for policy in of_kind(mode, "NetworkPolicy"):
                for labels in all_labels:
                    self.assertTrue(selects(policy["spec"]["podSelector"], labels))

    def test_nothing_goes_in_or_out_unless_it_is_said(self):
        for mode in MODES:
            closed = [policy for policy in of_kind(mode, "NetworkPolicy")
                      if policy["spec"]["podSelector"] == {}]
            self.assertEqual([policy["spec"]["policyTypes"] for policy in closed],
                             [["Ingress", "Egress"]])
            self.assertNotIn("ingress", closed[0]["spec"])
            self.assertNotIn("egress", closed[0]["spec"])

    def test_rights_are_restricted(self):
        for mode in MODES:
            namespace, = of_kind(mode, "Namespace")
            self.assertEqual(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
                             "restricted")
            for name, _, spec in pods(mode):
                self.assertFalse(spec["automountServiceAccountToken"], name)
                self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name)
                context = spec["securityContext"]
                self.assertTrue(context["runAsNonRoot"], name)
                self.assertGreater(context["runAsUser"], 0, name)
                self.assertEqual(context["seccompProfile"]["type"], "RuntimeDefault", name)
                for volume in spec["volumes"]:
                    self.assertLessEqual(volume.keys() - {"name"},
                                         {"configMap", "secret", "emptyDir"}, name)
            for name, container in containers(mode):
                context = container["securityContext"]
                self.assertIs(context["allowPrivilegeEscalation"], False, name)
                self.assertIs(context["readOnlyRootFilesystem"], True, name)
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]}, name)
                self.assertNotIn("privileged", context, name)

    def test_images_resources_and_probes(self):
        routes = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())["paths"]
        for mode in MODES:
            for name, container in containers(mode):
                self.assertEqual(container["image"], f"otpd:{VERSION}", name)
                resources = container["resources"]
                self.assertLessEqual({"cpu", "memory"}, resources["requests"].keys(), name)
                self.assertIn("memory", resources["limits"], name)
                if container["name"] != "otpd":
                    continue
                ports = {port["name"] for port in container["ports"]}
                probes = {kind: container[f"{kind}Probe"]["httpGet"]
                          for kind in ("startup", "liveness", "readiness")}
                for probe in probes.values():
                    self.assertIn("get", routes[probe["path"]], name)
                    self.assertIn(probe["port"], ports, name)
                # Redis away is no reason to start otpd again, only to send nobody there.
                self.assertEqual(probes["liveness"]["path"], "/healthz")
                self.assertEqual(probes["readiness"]["path"], "/readyz")

    def test_pods_have_time_to_end_in_order(self):
        needed_s = (default_ms("drain_timeout_ms") + default_ms("provider_timeout_ms")) / 1000
        for mode in MODES:
            for name, _, spec in pods(mode):
                wait_s = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
                self.assertGreater(spec["terminationGracePeriodSeconds"], wait_s + needed_s, name)

    def test_an_update_never_leaves_fewer_pods_and_one_file_never_has_two(self):
        for each in of_kind("cluster", "Deployment"):
            self.assertGreaterEqual(each["spec"]["replicas"], 2)
            self.assertEqual(each["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0)
        one, = of_kind("embedded", *POD_KINDS)
        self.assertEqual((one["kind"], one["spec"]["replicas"]), ("StatefulSet", 1))
        claim, = one["spec"]["volumeClaimTemplates"]
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])


class DockerfileTest(unittest.TestCase):
    def stages(self):
        """{name: (base, [(instruction, arguments)])} of the Dockerfile."""
        text = (DEPLOY / "docker/Dockerfile").read_text()
        text = re.sub(r"^\s*#.*\n", "", text, flags=re.M).replace("\\\n", " ")
        stages = {}
        for line in filter(str.strip, text.splitlines()):
            word, rest = line.split(None, 1)
            self.assertIn(word, ("FROM", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE",
                                 "STOPSIGNAL", "ENTRYPOINT"))
            if word == "FROM":
                base, name = re.fullmatch(r"(\S+) AS (\w+)", rest).groups()
                stages[name] = (base, [])
                current = stages[name][1]
            else:
                current.append((word, rest.strip()))
        return stages

    def test_stages(self):
        stages = self.stages()
        self.assertEqual(list(stages), ["build", "sim", "otpd"])  # the last is the default
        for name, (base, steps) in stages.items():
            self.assertRegex(base, r"^debian:12(-slim)?$")
            for word, rest in steps:
                if word == "COPY" and not rest.startswith("--from="):
                    self.assertTrue((ROOT / rest.split()[0]).exists(), rest)
                for other in re.findall(r"^--from=(\w+)", rest):
                    self.assertIn(other, stages)
                if word == "RUN":
                    syntax = subprocess.run(["sh", "-n", "-c", rest], check=False)
                    self.assertEqual(syntax.returncode, 0, rest)
            if name != "build":
                self.assertIn(("USER", "10001:10001"), steps)
                entry = json.loads(dict(steps)["ENTRYPOINT"])
                self.assertTrue(entry[0].startswith("/usr/bin/"))

    def test_the_user_is_the_one_of_the_manifests(self):
        for mode in MODES:
            for name, _, spec in pods(mode):
                self.assertEqual(spec["securityContext"]["runAsUser"], 10001, name)

    def test_what_is_built_is_not_sent_along(self):
        ignored = (ROOT / ".dockerignore").read_text().split()
        self.assertLessEqual({"build", "data", ".git", "deploy/compose/*.env"}, set(ignored))


if __name__ == "__main__":
    unittest.main()
