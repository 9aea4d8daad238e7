//! Everything in the chart that is derived from code: it fails on drift, and `UPDATE=1` writes it again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts/rollcall")
}

/// Compares a generated file with what is committed, or writes it when `UPDATE` is set.
fn settle(path: &Path, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        return;
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == text, "{} is not what the code says; run `make generate`", path.display());
}

/// The CRDs as templates: Helm never upgrades a `crds/` folder, and people then run stale ones.
#[test]
fn crd_templates_are_those_of_crds_yaml() {
    let yaml = chart().join("../../crds/yaml");
    let mut names: Vec<String> = fs::read_dir(&yaml)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "yaml"))
        .collect();
    names.sort();
    assert_eq!(names.len(), rollcall_crds::all_crds().len());
    for name in &names {
        let crd = fs::read_to_string(yaml.join(name)).unwrap();
        settle(&chart().join("templates/crds").join(name), &as_template(&crd));
    }
    let mut templates: Vec<String> = fs::read_dir(chart().join("templates/crds"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    templates.sort();
    assert_eq!(templates, names, "a template without its CRD");
}

fn as_template(crd: &str) -> String {
    assert!(!crd.contains("{{"), "a CRD that Helm would take for a template");
    let mut out = String::from(
        "{{- /* Generated from crds/yaml by `make generate`. */}}\n{{- if .Values.crds.enabled }}\n",
    );
    for line in crd.lines().filter(|line| !line.starts_with('#')) {
        let _ = writeln!(out, "{line}");
        if line == "metadata:" {
            out.push_str("  annotations:\n    rollcall.dev/chart: {{ .Chart.Version | quote }}\n");
            out.push_str(
                "    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n",
            );
            out.push_str("  labels: {{- include \"rollcall.labels\" . | nindent 4 }}\n");
        }
    }
    out.push_str("{{- end }}\n");
    out
}

/// The rights of the chart are the operator's own table, each with its reason.
#[test]
fn rbac_template_is_the_operators_table_of_rights() {
    use rollcall_operator::rbac::Scope;
    let mut out =
        String::from("{{- /* Generated from controller/operator/src/rbac.rs by `make generate`. */}}\n");
    let labels = "  labels: {{- include \"rollcall.labels\" . | nindent 4 }}\n";
    let kinds = [
        ("ClusterRole", "{{ .Release.Name }}", false, Scope::Cluster),
        ("Role", "{{ .Release.Name }}", true, Scope::OwnNamespace),
        ("ClusterRole", "{{ .Release.Name }}-tenant-secrets", false, Scope::TenantNamespace),
    ];
    for (kind, name, namespaced, scope) in kinds {
        let namespace = if namespaced { "  namespace: {{ .Release.Namespace }}\n" } else { "" };
        let _ = write!(
            out,
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {name}\n{namespace}{labels}rules:\n"
        );
        out.push_str(&rules(scope));
        if scope != Scope::TenantNamespace {
            out.push_str("---\n");
            out.push_str(&binding(kind, name, namespace, labels));
        }
        out.push_str("---\n");
    }
    out.push_str("{{- /* The only way to a team's Secrets: bound namespace by namespace. */}}\n");
    out.push_str("{{- range .Values.tenantNamespaces }}\n---\n");
    out.push_str(
        &binding(
            "ClusterRole",
            "{{ $.Release.Name }}-tenant-secrets",
            "  namespace: {{ . }}\n",
            "  labels: {{- include \"rollcall.labels\" $ | nindent 4 }}\n",
        )
        .replace("kind: ClusterRoleBinding", "kind: RoleBinding")
        .replace("{{ .Release", "{{ $.Release"),
    );
    out.push_str("{{- end }}\n");
    settle(&chart().join("templates/rbac.yaml"), &out);
}

fn rules(scope: rollcall_operator::rbac::Scope) -> String {
    let mut out = String::new();
    for right in rollcall_operator::rbac::RIGHTS.iter().filter(|right| right.scope == scope) {
        let _ = write!(
            out,
            "# {}\n- apiGroups: [{:?}]\n  resources: [{}]\n  verbs: [{}]\n",
            right.why,
            right.group,
            right.resources.join(", "),
            right.verbs.join(", ")
        );
    }
    out
}

fn binding(kind: &str, name: &str, namespace: &str, labels: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}Binding\nmetadata:\n  name: {name}\n{namespace}{labels}\
         roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {name}\n\
         subjects:\n- kind: ServiceAccount\n  name: {{{{ .Release.Name }}}}\n  namespace: {{{{ .Release.Namespace }}}}\n"
    )
}
