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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::WorldClock, stage::Stage};

    /// The example at the head of this file, so that it stays true.
    fn example() -> String {
        let lines = include_str!("seed.rs").lines().skip_while(|line| !line.ends_with("```json")).skip(1);
        let lines = lines.take_while(|line| !line.ends_with("```"));
        lines.map(|line| line.trim_start_matches("//!")).collect()
    }

    #[test]
    fn the_example_can_be_planted() {
        let seed: Seed = serde_json::from_str(&example()).unwrap();
        let aws = Aws::new(Stage::new(WorldClock::real()));
        seed.plant(&aws).unwrap();
        let hosts = aws.account(ACCOUNT).region("us-east-1").instances();
        assert_eq!(hosts.len(), 3);
        assert!(hosts.iter().all(|h| h.instance_type == "t3.small" && h.tags["role"] == "web"));
    }

    #[test]
    fn a_typo_in_a_seed_is_named() {
        let typo = r#"{"accounts": [{"id": "1", "regions": {"us-east-1": [{"instanceTyp": "t3.small"}]}}]}"#;
        let error = serde_json::from_str::<Seed>(typo).unwrap_err();
        assert!(error.to_string().contains("instanceTyp"), "{error}");
    }

    #[test]
    fn a_seed_that_cannot_be_names_what_is_wrong() {
        let nowhere = r#"{"accounts": [{"id": "1", "regions": {"us-east-1": [{"zone": "z"}]}}]}"#;
        let seed: Seed = serde_json::from_str(nowhere).unwrap();
        let error = seed.plant(&Aws::new(Stage::new(WorldClock::real()))).unwrap_err();
        assert!(error.to_string().contains("[z]"), "{error}");
    }
}
