//! Hosts: what the API calls a host, and every way to change one.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    checks::HostCheck,
    error::{Outcome, Refusal},
    host_params::HostParam,
    metadata::Metadata,
    metrics::{Feed, Series},
    roles::RoleFullname,
    truth::Truth,
};

/// A host's status. `working` and `standby` are monitored; only `working` notifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostStatus {
    /// Monitored, notifying.
    Working,
    /// Monitored, silent.
    Standby,
    /// Not monitored.
    Maintenance,
    /// Not monitored.
    Poweroff,
}

impl HostStatus {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            HostStatus::Working => "working",
            HostStatus::Standby => "standby",
            HostStatus::Maintenance => "maintenance",
            HostStatus::Poweroff => "poweroff",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Working, Self::Standby, Self::Maintenance, Self::Poweroff]
            .into_iter()
            .find(|s| s.as_str() == word)
    }

    /// Whether monitors look at such hosts.
    #[must_use]
    pub fn is_monitored(self) -> bool {
        matches!(self, HostStatus::Working | HostStatus::Standby)
    }
}

/// How a host is billed. Everything made by API, agent or EC2 integration is standard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HostSize {
    /// 200 metrics.
    #[default]
    Standard,
    /// 30 metrics: RDS, load balancers, containers.
    Micro,
}

/// A host. Its fields are read by tests; [`Truth`] changes them.
#[derive(Clone, Debug)]
pub struct Host {
    /// The id that Mackerel gave.
    pub id: String,
    /// Host name.
    pub name: String,
    /// The name people gave it.
    pub display_name: Option<String>,
    /// What joins it to a cloud resource; unique among live hosts, in this very spelling.
    pub custom_identifier: Option<String>,
    /// Notes.
    pub memo: String,
    /// Status.
    pub status: HostStatus,
    /// How it is billed.
    pub size: HostSize,
    /// Epoch seconds.
    pub created_at: i64,
    /// Epoch seconds; a retired host never comes back.
    pub retired_at: Option<i64>,
    /// Role names by service.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Network interfaces, as posted.
    pub interfaces: Vec<Value>,
    /// Host metadata, as posted; `cloud` may be missing.
    pub meta: Map<String, Value>,
    /// Its check monitors, in order of name.
    pub checks: Vec<HostCheck>,
    pub(super) metadata: Metadata,
    pub(super) series: Series,
    pub(super) feeds: Vec<Feed>,
    /// Fields that the wire shows differently, or not at all: an odd host.
    pub(super) oddities: BTreeMap<String, Option<Value>>,
    pub(super) rendered: OnceLock<Bytes>,
}

impl Host {
    /// Whether it was retired.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.retired_at.is_some()
    }

    /// Whether it has this role.
    #[must_use]
    pub fn has_role(&self, service: &str, role: &str) -> bool {
        self.roles.get(service).is_some_and(|roles| roles.iter().any(|r| r == role))
    }

    pub(super) fn join(&mut self, name: &RoleFullname) {
        if !self.has_role(&name.service, &name.role) {
            let roles = self.roles.entry(name.service.clone()).or_default();
            roles.push(name.role.clone());
            roles.sort_unstable();
        }
    }

    pub(super) fn leave(&mut self, service: &str, role: &str) {
        if let Some(roles) = self.roles.get_mut(service) {
            roles.retain(|r| r != role);
        }
        self.roles.retain(|_, roles| !roles.is_empty());
    }

    /// The host as the API shows it: JSON, made once for each change.
    pub(super) fn rendered(&self) -> Bytes {
        self.rendered.get_or_init(|| Bytes::from(self.json().to_string())).clone()
    }

    fn json(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "createdAt": self.created_at,
            "status": self.status,
            "memo": self.memo,
            "isRetired": self.is_retired(),
            "roles": self.roles,
            "interfaces": self.interfaces,
            "name": self.name,
            "size": self.size,
            "customIdentifier": self.custom_identifier,
            "meta": self.meta,
        });
        let optional = [
            ("displayName", self.display_name.clone().map(Value::from)),
            ("retiredAt", self.retired_at.map(Value::from)),
        ];
        if let Some(fields) = shown.as_object_mut() {
            fields.extend(optional.into_iter().filter_map(|(k, v)| Some((k.to_owned(), v?))));
            for (field, odd) in &self.oddities {
                match odd {
                    Some(value) => drop(fields.insert(field.clone(), value.clone())),
                    None => drop(fields.remove(field)),
                }
            }
        }
        shown
    }
}

impl Truth {
    /// Registers a host, with its services, roles and checks; answers its id. The world may plant what
    /// the API would refuse: two live hosts with one identifier.
    ///
    /// # Errors
    /// 400 when a role or check name is invalid.
    pub fn add_host(&mut self, param: &HostParam) -> Outcome<String> {
        let roles = param.roles_wanted()?;
        let id = self.take_id();
        let host = Host {
            id: id.clone(),
            name: param.name.clone(),
            display_name: param.display_name.clone(),
            custom_identifier: param.custom_identifier.clone(),
            memo: param.memo.clone().unwrap_or_default(),
            status: self.policy.default_status,
            size: HostSize::default(),
            created_at: self.now(),
            retired_at: None,
            roles: BTreeMap::new(),
            interfaces: param.interfaces_shown(),
            meta: param.meta.clone(),
            checks: vec![],
            metadata: Metadata::default(),
            series: Series::default(),
            feeds: vec![],
            oddities: BTreeMap::new(),
            rendered: OnceLock::new(),
        };
        self.hosts.push(host);
        self.add_roles(&id, &roles)?;
        self.set_checks(&id, param.checks.as_deref().unwrap_or_default())?;
        Ok(id)
    }

    /// `POST /hosts`: as [`Truth::add_host`], but an identifier that a live host has is refused.
    pub(super) fn register_host(&mut self, param: &HostParam) -> Outcome<String> {
        self.check_identifier(param, None)?;
        self.add_host(param)
    }

    /// `PUT /hosts/<id>`: roles are added, never removed; the identifier and the list of checks are overwritten, with nothing
    /// when absent.
    ///
    /// # Errors
    /// 404 for an unknown host; 400 for a retired one, an invalid name, or an identifier in use.
    pub fn put_host(&mut self, id: &str, param: &HostParam) -> Outcome<()> {
        let roles = param.roles_wanted()?;
        self.live_host_mut(id)?;
        self.check_identifier(param, Some(id))?;
        let host = self.live_host_mut(id)?;
        host.name.clone_from(&param.name);
        host.display_name.clone_from(&param.display_name);
        host.custom_identifier.clone_from(&param.custom_identifier);
        host.meta.clone_from(&param.meta);
        host.interfaces = param.interfaces_shown();
        // The agent sends no memo, ever, and the notes that people wrote survive it.
        if let Some(memo) = &param.memo {
            host.memo.clone_from(memo);
        }
        self.add_roles(id, &roles)?;
        self.set_checks(id, param.checks.as_deref().unwrap_or_default())
    }

    fn check_identifier(&self, param: &HostParam, but: Option<&str>) -> Outcome<()> {
        let taken = |host: &&Arc<Host>| {
            !host.is_retired()
                && host.custom_identifier == param.custom_identifier
                && Some(host.id.as_str()) != but
        };
        match param.custom_identifier.as_ref().and_then(|_| self.hosts.iter().find(taken)) {
            Some(host) => Err(Refusal::bad(format!("customIdentifier is already used by host {}", host.id))),
            None => Ok(()),
        }
    }

    /// Adds roles, and creates those that are new. A host that has them all is not touched.
    pub(super) fn add_roles(&mut self, id: &str, roles: &[RoleFullname]) -> Outcome<()> {
        for role in roles {
            self.ensure_role(role);
            if !self.host(id)?.has_role(&role.service, &role.role) {
                self.host_mut(id)?.join(role);
            }
        }
        Ok(())
    }

    /// `PUT /hosts/<id>/role-fullnames`: these roles and no others.
    ///
    /// # Errors
    /// 404 for an unknown host, 400 for a retired one or an invalid name.
    pub fn set_roles(&mut self, id: &str, fullnames: &[String]) -> Outcome<()> {
        let roles: Vec<_> = fullnames.iter().map(|n| RoleFullname::parse(n)).collect::<Outcome<_>>()?;
        self.live_host_mut(id)?.roles.clear();
        self.add_roles(id, &roles)
    }

    /// Sets a host's status. Open alerts stay as they are.
    ///
    /// # Errors
    /// 404 for an unknown host, 400 for a retired one.
    pub fn set_status(&mut self, id: &str, status: HostStatus) -> Outcome<()> {
        self.live_host_mut(id)?.status = status;
        Ok(())
    }

    /// Retires a host for good and closes its alerts. Retiring it again changes nothing.
    ///
    /// # Errors
    /// 404 for an unknown host.
    pub fn retire(&mut self, id: &str) -> Outcome<()> {
        if self.host(id)?.is_retired() {
            return Ok(());
        }
        // Alerts first: a check with an open one would stay.
        self.close_alerts(|alert| alert.host_id.as_deref() == Some(id), "hostRetire");
        self.set_checks(id, &[])?;
        let now = self.now();
        self.host_mut(id)?.retired_at = Some(now);
        Ok(())
    }

    /// Plants an odd host: the wire shows `value` for this field, or with `None` nothing.
    ///
    /// # Errors
    /// 404 for an unknown host.
    pub fn distort_host(&mut self, id: &str, field: &str, value: Option<Value>) -> Outcome<()> {
        self.host_mut(id)?.oddities.insert(field.to_owned(), value);
        Ok(())
    }

    /// Sets how a host is billed, which no API call does.
    ///
    /// # Errors
    /// 404 for an unknown host.
    pub fn set_size(&mut self, id: &str, size: HostSize) -> Outcome<()> {
        self.host_mut(id)?.size = size;
        Ok(())
    }

    pub(super) fn leave_role(&mut self, service: &str, role: &str) {
        for id in self.members(service, role) {
            if let Ok(host) = self.host_mut(&id) {
                host.leave(service, role);
            }
        }
    }

    pub(super) fn members(&self, service: &str, role: &str) -> Vec<String> {
        self.hosts.iter().filter(|h| h.has_role(service, role)).map(|h| h.id.clone()).collect()
    }
}
