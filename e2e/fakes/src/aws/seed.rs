//! A small AWS as JSON: what `fake-aws --seed-file` starts with.
//!
//! ```json
//! {"accounts": [{"id": "123456789012", "keys": {"alice": "AKIAEXAMPLE"},
//!    "roles": [{"name": "observer", "trusts": ["123456789012"], "externalId": "x"}],
//!    "regions": {"us-east-1": [{"instanceType": "t3.small", "count": 3, "tags": {"role": "web"}}]}}]}
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Aws, Launch, Role, error::AwsError};

/// The account that answers when no seed is given; the one that moto answers for, too.
pub const ACCOUNT: &str = "123456789012";
/// The access key of that account's only user.
pub const KEY: &str = "test";

/// What to start with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// Whether EC2's rate limits are enforced.
    #[serde(default)]
    pub enforce_rates: bool,
    /// Accounts.
    pub accounts: Vec<SeedAccount>,
}

/// An account with its users, roles and instances.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedAccount {
    /// Twelve digits.
    pub id: String,
    /// Access key ids by the name of their user.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// What to launch, by region.
    #[serde(default)]
    pub regions: BTreeMap<String, Vec<Launch>>,
}

impl Default for Seed {
    /// One empty account, [`ACCOUNT`], with the access key [`KEY`].
    fn default() -> Self {
        let account = SeedAccount {
            id: ACCOUNT.to_owned(),
            keys: [("tester".to_owned(), KEY.to_owned())].into(),
            roles: vec![],
            regions: BTreeMap::new(),
        };
        Self { enforce_rates: false, accounts: vec![account] }
    }
}

impl Seed {
    /// Plants it in a fake.
    ///
    /// # Errors
    /// When a launch names a zone that is not there or an id that is taken.
    pub fn plant(&self, aws: &Aws) -> Result<(), AwsError> {
        aws.enforce_rates(self.enforce_rates);
        for seed in &self.accounts {
            let account = aws.account(&seed.id);
            for (user, key) in &seed.keys {
                account.add_key(user, key);
            }
            for role in &seed.roles {
                let _arn = account.set_role(role.clone());
            }
            for (region, launches) in &seed.regions {
                let region = account.region(region);
                for launch in launches {
                    region.launch(launch)?;
                }
            }
        }
        Ok(())
    }
}
