//! What the tree of custom resources asks of each duty, so that the fleet's agents are set up after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rollcall_crds::v1alpha1::{HostRole, RequiredCheck};

/// The folder `crds/examples/backlog`.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds/examples/backlog")
}

/// Roles and checks of the tree.
#[derive(Debug)]
pub struct Tree {
    includes: BTreeMap<String, Vec<String>>,
    checks: Vec<RequiredCheck>,
}

impl Tree {
    /// Reads the roles and checks of a tree.
    ///
    /// # Errors
    /// When a file cannot be read or is not what its folder says.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let roles: Vec<HostRole> = documents(&folder.join("roles"))?;
        let includes =
            roles.into_iter().filter_map(|role| Some((role.metadata.name?, role.spec.includes))).collect();
        Ok(Self { includes, checks: documents(&folder.join("checks"))? })
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

    /// Names of the checks that an agent must run on a host with this duty, in the environment with this site name.
    #[must_use]
    pub fn check_names(&self, duty: &str, site: &str) -> Vec<String> {
        let roles = self.closure(duty);
        let applies = |check: &&RequiredCheck| {
            let to = &check.spec.applies_to;
            to.roles.iter().any(|role| roles.contains(role))
                && !to.except_roles.iter().flatten().any(|role| roles.contains(role))
        };
        let by = self.checks.iter().filter(applies).flat_map(|check| check.spec.watched.by.iter());
        let names =
            by.filter_map(|by| by.check.as_ref()).map(|check| check.name.replace("${env.site}", site));
        // Disks are watched by the metric; the check is the tree's alternative, and no agent runs it.
        names.filter(|name| name != "check-disk").collect()
    }
}

fn documents<T: serde::de::DeserializeOwned>(folder: &Path) -> anyhow::Result<Vec<T>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .map(|f| Ok(f?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let found: Vec<T> = serde_saphyr::from_multiple(&text).with_context(|| file.display().to_string())?;
        all.extend(found);
    }
    Ok(all)
}
