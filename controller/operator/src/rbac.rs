//! The rights this code uses, and why. The chart's roles are generated from this table, and the end-to-end tests run
//! with exactly these: a right that is missing fails a test, one that nobody uses has no line here.

use k8s_openapi::api::rbac::v1::PolicyRule;

/// Where a right is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the whole cluster.
    Cluster,
    /// In the operator's own namespace.
    OwnNamespace,
    /// In each namespace that a platform admin lists.
    TenantNamespace,
}

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// Where.
    pub scope: Scope,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Plural names.
    pub resources: &'static [&'static str],
    /// Verbs.
    pub verbs: &'static [&'static str],
    /// What for.
    pub why: &'static str,
}

/// Every right, and no other.
pub const RIGHTS: &[Right] = &[
    Right {
        scope: Scope::Cluster,
        group: "rollcall.dev",
        resources: &[
            "cloudaccounts",
            "environments",
            "exemptions",
            "hostroles",
            "monitoringsystems",
            "notificationchannels",
            "requiredchecks",
            "retirementpolicies",
            "retirements",
        ],
        verbs: &["list", "watch"],
        why: "desired state; nothing in it is ever changed",
    },
    Right {
        scope: Scope::Cluster,
        group: "rollcall.dev",
        resources: &[
            "cloudaccounts/status",
            "environments/status",
            "exemptions/status",
            "hostroles/status",
            "hosts/status",
            "monitoringsystems/status",
            "notificationchannels/status",
            "requiredchecks/status",
            "retirementpolicies/status",
        ],
        verbs: &["patch"],
        why: "what was found is told as status, by server-side apply",
    },
    Right {
        scope: Scope::Cluster,
        group: "rollcall.dev",
        resources: &["hosts"],
        verbs: &["list", "watch", "create", "patch", "delete"],
        why: "Host objects are Rollcall's own projection (a server-side apply that makes an object needs create too)",
    },
    Right {
        scope: Scope::Cluster,
        group: "rollcall.dev",
        resources: &["retirements"],
        verbs: &["create", "delete"],
        why: "a Retirement is written for each unused host, and taken away long after it ended",
    },
    Right {
        scope: Scope::Cluster,
        group: "rollcall.dev",
        resources: &["retirements/status"],
        verbs: &["update"],
        why: "how a Retirement stands is replaced with the version that was read",
    },
    Right {
        scope: Scope::Cluster,
        group: "",
        resources: &["namespaces"],
        verbs: &["list", "watch"],
        why: "grants select namespaces by label; only metadata is asked for",
    },
    Right {
        scope: Scope::Cluster,
        group: "events.k8s.io",
        resources: &["events"],
        verbs: &["create", "patch"],
        why: "transitions are told as Events next to the object",
    },
    Right {
        scope: Scope::Cluster,
        group: "authentication.k8s.io",
        resources: &["tokenreviews"],
        verbs: &["create"],
        why: "who asks for the recording",
    },
    Right {
        scope: Scope::Cluster,
        group: "authorization.k8s.io",
        resources: &["subjectaccessreviews"],
        verbs: &["create"],
        why: "which namespaces of the recording the caller may see",
    },
    Right {
        scope: Scope::OwnNamespace,
        group: "coordination.k8s.io",
        resources: &["leases"],
        verbs: &["get", "create", "update"],
        why: "one replica decides and writes",
    },
    Right {
        scope: Scope::OwnNamespace,
        group: "",
        resources: &["configmaps"],
        verbs: &["get", "list", "create", "update", "delete"],
        why: "memory",
    },
    Right {
        scope: Scope::OwnNamespace,
        group: "",
        resources: &["secrets"],
        verbs: &["get"],
        why: "credentials of CloudAccounts, by name",
    },
    Right {
        scope: Scope::TenantNamespace,
        group: "",
        resources: &["secrets"],
        verbs: &["get"],
        why: "keys of MonitoringSystems and NotificationChannels, by name: never list, never watch",
    },
];

/// The rules of one scope, as a Role or `ClusterRole` holds them.
#[must_use]
pub fn rules(scope: Scope) -> Vec<PolicyRule> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let rights = RIGHTS.iter().filter(|right| right.scope == scope);
    rights
        .map(|right| PolicyRule {
            api_groups: Some(vec![right.group.to_owned()]),
            resources: Some(texts(right.resources)),
            verbs: texts(right.verbs),
            ..PolicyRule::default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_only_got_and_never_in_the_whole_cluster() {
        for right in RIGHTS.iter().filter(|right| right.resources.contains(&"secrets")) {
            assert_eq!(right.verbs, ["get"], "{}", right.why);
            assert_ne!(right.scope, Scope::Cluster, "{}", right.why);
        }
    }

    #[test]
    fn nothing_that_people_write_may_be_changed() {
        let ours = [
            "hosts",
            "retirements",
            "events",
            "tokenreviews",
            "subjectaccessreviews",
            "leases",
            "configmaps",
        ];
        for right in RIGHTS
            .iter()
            .filter(|right| right.verbs.iter().any(|verb| !["get", "list", "watch"].contains(verb)))
        {
            for resource in right.resources {
                assert!(
                    ours.contains(resource) || resource.ends_with("/status"),
                    "{resource}: {:?}",
                    right.verbs
                );
            }
        }
    }
}
