//! What the tree of custom resources asks of each duty, so that the fleet's agents and its Nagios are set up after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rollcall_crds::v1alpha1::{Environment, HostRole, RequiredCheck};

/// The folder `crds/examples/backlog`.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds/examples/backlog")
}

/// The namespace of `crds/examples/backlog/library`, which every namespace sees.
pub const LIBRARY: &str = "rollcall-library";

/// Roles, environments and checks of the tree, those of its library among them.
#[derive(Debug)]
pub struct Tree {
    includes: BTreeMap<String, Vec<String>>,
    labels: BTreeMap<String, BTreeMap<String, String>>,
    checks: Vec<RequiredCheck>,
}

impl Tree {
    /// Reads the roles, environments and checks of a tree.
    ///
    /// # Errors
    /// When a file cannot be read or is not what its folder says.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut roles: Vec<HostRole> = documents(&folder.join("library/roles.yaml"))?;
        roles.extend(documents(&folder.join("roles"))?);
        let includes =
            roles.into_iter().filter_map(|role| Some((role.metadata.name?, role.spec.includes))).collect();
        let environments: Vec<Environment> = documents(&folder.join("environments"))?;
        let labels = environments.into_iter().filter_map(|environment| {
            Some((environment.metadata.name?, environment.metadata.labels.unwrap_or_default()))
        });
        let mut checks = documents(&folder.join("library/checks.yaml"))?;
        checks.extend(documents(&folder.join("checks"))?);
        Ok(Self { includes, labels: labels.collect(), checks })
    }

    /// A duty and all roles it includes.
    #[must_use]
    pub fn closure(&self, duty: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut open = vec![duty.to_owned()];
        while let Some(role) = open.pop() {
            if all.insert(role.clone()) {
                open.extend(self.includes.get(&role).into_iter().flatten().cloned());
            }
        }
        all
    }

    /// Whether a check applies to hosts of a duty in an environment.
    #[must_use]
    pub fn applies(&self, check: &RequiredCheck, duty: &str, environment: &str) -> bool {
        let (to, roles) = (&check.spec.applies_to, self.closure(duty));
        let labels = self.labels.get(environment);
        let is_labelled =
            |(key, value): (&String, _)| labels.is_some_and(|labels| labels.get(key) == Some(value));
        let wanted = to.environments.iter().flat_map(|selector| &selector.match_labels);
        to.roles.iter().flatten().any(|role| roles.contains(role))
            && !to.except_roles.iter().flatten().any(|role| roles.contains(role))
            && wanted.map(|(key, value)| (key, &value.0)).all(is_labelled)
    }

    /// Names of the checks that an agent must run on a host with this duty, in the environment with this site name.
    #[must_use]
    pub fn check_names(&self, duty: &str, site: &str) -> Vec<String> {
        // Disks are watched by the metric; the check is the tree's alternative, and no agent runs it.
        self.names("mackerel", duty, site).filter(|name| name != "check-disk").collect()
    }

    /// Names of the services that Nagios must have of a host with this duty, in the environment with this site name.
    #[must_use]
    pub fn service_names(&self, duty: &str, site: &str) -> Vec<String> {
        self.names("nagios", duty, site).collect()
    }

    fn names(&self, system: &str, duty: &str, site: &str) -> impl Iterator<Item = String> {
        let applying = self.checks.iter().filter(|check| self.applies(check, duty, site));
        let by = applying.flat_map(|check| check.spec.ways()).filter(move |by| by.system == system);
        by.filter_map(|by| by.check.as_ref()).map(move |check| check.name.replace("${env.site}", site))
    }
}

/// All objects in a file, or in the files of a folder in the order of their names.
fn documents<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
        files = entries.map(|file| Ok(file?.path())).collect::<anyhow::Result<_>>()?;
        files.sort();
    }
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let found: Vec<T> = serde_saphyr::from_multiple(&text).with_context(|| file.display().to_string())?;
        all.extend(found);
    }
    Ok(all)
}
