//! Services and roles: the names hosts are grouped by.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    error::{Outcome, Refusal},
    metadata::Metadata,
    metrics::Series,
    truth::Truth,
};

/// The two parts of `<service>:<role>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleFullname {
    /// The service.
    pub service: String,
    /// The role in it.
    pub role: String,
}

impl RoleFullname {
    /// Reads `Service:role`; a space after the colon is tolerated, as in Mackerel's own examples.
    ///
    /// # Errors
    /// 400 when a part is no valid name.
    pub fn parse(text: &str) -> Outcome<Self> {
        let wrong = || Refusal::bad(format!("invalid role fullname: {text}"));
        let (service, role) = text.split_once(':').ok_or_else(wrong)?;
        let role = role.trim_start();
        if !(is_name(service) && is_name(role)) {
            return Err(wrong());
        }
        Ok(Self { service: service.to_owned(), role: role.to_owned() })
    }
}

/// `^[A-Za-z0-9][A-Za-z0-9_-]+$`, 2 to 63 characters: the rule for services and roles.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (2..=63).contains(&text.len())
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && text.bytes().all(inner)
}

/// A service with its roles.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Notes.
    pub memo: String,
    /// Its roles by name.
    pub roles: BTreeMap<String, Role>,
    pub(super) metadata: Metadata,
    pub(super) series: Series,
}

/// A role of a service.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// Notes.
    pub memo: String,
    pub(super) metadata: Metadata,
}

impl Truth {
    /// The service of this name.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn service(&self, name: &str) -> Outcome<&Service> {
        self.services.get(name).map(AsRef::as_ref).ok_or_else(|| Refusal::not_found("Service not found."))
    }

    pub(super) fn service_mut(&mut self, name: &str) -> Outcome<&mut Service> {
        let service = self.services.get_mut(name).ok_or_else(|| Refusal::not_found("Service not found."))?;
        Ok(std::sync::Arc::make_mut(service))
    }

    /// Creates a service.
    ///
    /// # Errors
    /// 400 when the name is invalid or taken.
    pub fn add_service(&mut self, name: &str, memo: &str) -> Outcome<()> {
        if !is_name(name) {
            return Err(Refusal::bad(format!("invalid service name: {name}")));
        }
        if self.services.contains_key(name) {
            return Err(Refusal::bad(format!("service already exists: {name}")));
        }
        let service = Service { memo: memo.to_owned(), ..Service::default() };
        self.services.insert(name.to_owned(), service.into());
        Ok(())
    }

    /// Creates a role in a service.
    ///
    /// # Errors
    /// 404 without the service, 400 when the name is invalid or taken.
    pub fn add_role(&mut self, service: &str, name: &str, memo: &str) -> Outcome<()> {
        let service = self.service_mut(service)?;
        if !is_name(name) || service.roles.contains_key(name) {
            return Err(Refusal::bad(format!("role name is invalid or taken: {name}")));
        }
        service.roles.insert(name.to_owned(), Role { memo: memo.to_owned(), ..Role::default() });
        Ok(())
    }

    /// Makes sure that a role exists, with its service: naming one in a host's roles creates it.
    pub(super) fn ensure_role(&mut self, name: &RoleFullname) {
        let service = self.services.entry(name.service.clone()).or_default();
        if !service.roles.contains_key(&name.role) {
            std::sync::Arc::make_mut(service).roles.insert(name.role.clone(), Role::default());
        }
    }

    /// Deletes a service **with its roles, service metrics, monitors and annotations**; hosts stay,
    /// without those roles. Answers its last state.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn delete_service(&mut self, name: &str) -> Outcome<Value> {
        let last = service_json(name, self.service(name)?);
        let roles: Vec<_> = self.service(name)?.roles.keys().cloned().collect();
        for role in roles {
            self.delete_role(name, &role)?;
        }
        self.services.remove(name);
        self.forget_service_monitors(name);
        self.annotations_mut().retain(|a| a.get("service").and_then(Value::as_str) != Some(name));
        Ok(last)
    }

    /// Deletes a role and takes it from its hosts. Answers its last state.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn delete_role(&mut self, service: &str, role: &str) -> Outcome<Value> {
        let missing = || Refusal::not_found("Role not found.");
        let gone = self.service_mut(service)?.roles.remove(role).ok_or_else(missing)?;
        self.leave_role(service, role);
        Ok(json!({"name": role, "memo": gone.memo}))
    }

    /// What a person does to rename a role, which the API cannot: creates the new one, moves the hosts, deletes the old one.
    ///
    /// # Errors
    /// 404 when the old one does not exist, 400 when the new name is invalid or taken.
    pub fn rename_role(&mut self, service: &str, old: &str, new: &str) -> Outcome<()> {
        let memo = self
            .service(service)?
            .roles
            .get(old)
            .ok_or_else(|| Refusal::not_found("Role not found."))?
            .memo
            .clone();
        self.add_role(service, new, &memo)?;
        for id in self.members(service, old) {
            let target = RoleFullname { service: service.to_owned(), role: new.to_owned() };
            self.host_mut(&id)?.join(&target);
        }
        self.delete_role(service, old).map(drop)
    }

    /// Whether `Service` or `Service: role` is registered, which scopes of monitors and downtimes need.
    pub(super) fn knows_scope(&self, scope: &str) -> bool {
        match scope.split_once(':') {
            None => self.services.contains_key(scope),
            Some((service, role)) => {
                self.services.get(service).is_some_and(|s| s.roles.contains_key(role.trim_start()))
            }
        }
    }
}

/// A service as listed.
pub(super) fn service_json(name: &str, service: &Service) -> Value {
    let roles: Vec<_> = service.roles.keys().collect();
    json!({"name": name, "memo": service.memo, "roles": roles})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_after_the_colon_is_tolerated_and_names_are_checked() {
        let role = RoleFullname::parse("Hatena-Bookmark: db-master").unwrap();
        assert_eq!((role.service.as_str(), role.role.as_str()), ("Hatena-Bookmark", "db-master"));
        for wrong in ["", "a", "a:b", "Svc", "Svc:", ":role", "-Svc:role", "Svc:ro le", "Svc:_role"] {
            assert!(RoleFullname::parse(wrong).is_err(), "{wrong}");
        }
        assert!(is_name(&"x".repeat(63)) && !is_name(&"x".repeat(64)));
    }
}
