//! Fleets whose hosts are in a Nagios, and databases: what joins registrations, what is required, and that the engine joins
//! as many as was said.

use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{Database, DatabaseEndpoint};
use rollcall_engine::reading::{Extent, Gap};
use rollcall_engine::registry::{Check, Run};

use super::*;

/// Hosts of a Nagios with their services.
#[derive(Default)]
struct Nagios {
    hosts: Vec<Registration>,
    services: BTreeMap<String, Vec<String>>,
}

impl Nagios {
    fn host(&mut self, name: &str, variables: &[(&str, &str)], services: &[&str]) -> &mut Self {
        // Nagios starts with no name twice.
        if self.services.contains_key(name) {
            return self;
        }
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.services.insert(name.to_owned(), services.iter().map(|name| (*name).to_owned()).collect());
        self.hosts.push(Registration {
            id: name.into(),
            name: name.to_owned(),
            custom_identifier: None,
            instance_id: None,
            provider: None,
            status: RegistrationStatus::Working,
            run: Some(Box::new(Run::default())),
            variables: variables.iter().map(owned).collect(),
            roles: Vec::new(),
            addresses: Vec::new(),
            created_at: None,
        });
        self
    }

    fn at(&mut self, address: &str) -> &mut Self {
        self.hosts.last_mut().unwrap().addresses = vec![address.parse().unwrap()];
        self
    }

    /// A recording of these hosts, in which this Nagios was read and no Mackerel.
    fn recording(&self, seen: &Seen) -> Recording {
        let check = |name: &String| Check { name: name.as_str().into(), run: Run::default() };
        let services = self.services.iter();
        let services =
            services.map(|(host, names)| (host.as_str().into(), names.iter().map(check).collect()));
        let none = |what| (format!("{what} of nagios"), now(), Product::Nagios.has_no(what));
        let failed = none("monitors");
        let registry = Registry {
            product: Product::Nagios,
            organization: None,
            program: None,
            notifications: None,
            hosts: Reading::complete_at("hosts of nagios mon.example.com", now(), self.hosts.clone()),
            services: Reading::failed(failed.0.clone(), failed.1, failed.2.clone()),
            monitors: Reading::failed(failed.0.clone(), failed.1, failed.2.clone()),
            checks: Checks::Listed(Reading::complete_at("services", now(), services.collect())),
            last_metric: Reading::failed(failed.0, failed.1, failed.2),
        };
        let mut recording = seen.recording();
        recording.snapshot.registries = BTreeMap::from([(nagios(), Arc::new(registry))]);
        recording
    }
}

fn nagios() -> ObjectKey {
    ObjectKey::new("team", "nagios")
}

/// The tree, and the lines of its `MonitoringSystem`: rules, then reasons. The engine must join as many as was said.
fn told(recording: &Recording, wishes: &Wishes<'_>) -> (Draft, Vec<String>) {
    let key = nagios();
    let observed = observe(recording, Some(&key));
    let draft = decide(&observed, wishes);
    judge(&text::files(&draft, None).unwrap(), wishes.namespace).unwrap();
    if !draft.objects.iter().any(|drafted| matches!(drafted.object, Object::Environment(_))) {
        return (draft, Vec::new());
    }
    let roll = plan(recording, &draft);
    let joined = usize::try_from(roll.systems[&key].joined).unwrap();
    assert_eq!(joined, observed.system.as_ref().unwrap().joined, "as the engine joins");
    let lines = draft.objects.iter().filter_map(|drafted| match &drafted.object {
        Object::MonitoringSystem(one) => Some((one.spec.join.iter().flatten(), &drafted.reasons)),
        _ => None,
    });
    let lines = lines.flat_map(|(rules, reasons)| {
        let rules = rules.map(|rule| {
            let more = rule.variable.as_deref().or(rule.pattern.as_deref()).unwrap_or_default();
            format!("{:?} {more}", rule.by)
        });
        rules.chain(reasons.iter().take_while(|reason| !reason.starts_with("The address")).cloned())
    });
    let lines = lines.collect();
    (draft, lines)
}

fn id(number: usize) -> String {
    format!("i-{number:017x}")
}

#[test]
fn what_names_an_instance_binds_and_names_and_addresses_tell_the_rest() {
    let (mut seen, mut nagios) = (Seen::new(), Nagios::default());
    for n in 0..6 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")]);
        let own = id(n);
        let variable: &[(&str, &str)] = if n < 3 { &[("AWS_ID", &own), ("BASTION", "i-0")] } else { &[] };
        nagios.host(&format!("jp1-app-{n}.internal"), variable, &["HTTP", "disk /"]);
    }
    seen.host("jp1-db-1", &[("Env", "jp1")]);
    seen.instances.last_mut().unwrap().addresses = vec!["10.0.0.7".parse().unwrap()];
    nagios.host("database", &[], &["disk /"]).at("10.0.0.7");
    nagios.host("router", &[], &["ping"]).at("10.0.0.1");
    let (draft, lines) = told(&nagios.recording(&seen), &WISHES);
    assert_eq!(
        lines,
        [
            "CustomVariable _AWS_ID",
            "Name ^(?<name>[^.]+)[.]",
            "Address ",
            "the custom variable _AWS_ID names the instance of 3 of 8 registrations",
            "the registered name up to its first dot tells the host of 3",
            "the address tells the host of 1",
            "1 registration of none of these hosts",
        ]
    );
    assert_eq!(checks(&draft), ["disk: app disk /", "http: app HTTP"]);
    assert_eq!(environments(&draft), ["jp1: Env=jp1, ^jp1-"]);
    assert_eq!(roles(&draft), ["app: Duty *app* "]);
}

#[test]
fn a_name_that_contradicts_the_id_is_not_used() {
    let (mut seen, mut nagios) = (Seen::new(), Nagios::default());
    for n in 0..4 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")]);
        // Somebody renamed the hosts in AWS, and not in Nagios.
        nagios.host(&format!("jp1-app-{}", (n + 1) % 4), &[("INSTANCE_ID", &id(n))], &["HTTP"]);
    }
    seen.host("jp1-app-9", &[("Env", "jp1")]);
    nagios.host("jp1-app-9", &[], &["HTTP"]);
    let (_, lines) = told(&nagios.recording(&seen), &WISHES);
    assert_eq!(
        lines,
        [
            "CustomVariable _INSTANCE_ID",
            "the custom variable _INSTANCE_ID names the instance of 4 of 5 registrations",
            "the registered name is not used: of 4 it contradicts the id of 4",
            "1 registration of none of these hosts",
        ]
    );
}

#[test]
fn what_joins_nothing_is_said_and_nobody_is_called_watched() {
    let (mut seen, mut nagios) = (Seen::new(), Nagios::default());
    for n in 0..4 {
        seen.host("app", &[("Env", "jp1")]);
        nagios.host(&format!("srv{n}"), &[("GATEWAY", "i-00000000000000000")], &["HTTP"]).at("127.0.0.1");
    }
    // All hosts bear one name: nobody knows which is meant.
    nagios.host("app", &[], &["HTTP"]);
    let (draft, lines) = told(&nagios.recording(&seen), &WISHES);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with("give each host there the custom variable _INSTANCE_ID."), "{lines:?}");
    assert!(checks(&draft).is_empty());
}

/// A service that cannot be read must not hide those that can: what is shown is so.
#[test]
fn a_part_of_the_services_is_imported_as_far_as_it_tells() {
    let (mut seen, mut nagios) = (Seen::new(), Nagios::default());
    for n in 0..5 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")]);
        nagios.host(&format!("jp1-app-{n}"), &[], &["HTTP"]);
    }
    let mut recording = nagios.recording(&seen);
    let registry = Arc::make_mut(recording.snapshot.registries.values_mut().next().unwrap());
    let Checks::Listed(services) = &mut registry.checks else { panic!("one listing") };
    services.seen.remove(&"jp1-app-4".into());
    let why = Failure::new(FailureKind::Malformed, "a name that is not ASCII");
    services.extent = Extent::Partial { at: now(), missing: vec![Gap { what: "services".to_owned(), why }] };
    let key = self::nagios();
    let observed = observe(&recording, Some(&key));
    assert_eq!(observed.blind, ["nagios services: only a part could be read (Malformed)"]);
    let draft = decide(&observed, &WISHES);
    assert_eq!(checks(&draft), ["http: app HTTP"]);
    let told: Vec<&String> = draft.objects.iter().flat_map(|drafted| &drafted.reasons).collect();
    assert!(told.contains(&&"HTTP on 4 of 4 hosts: app 4/4".to_owned()), "{told:?}");
}

fn database(number: u32, name: &str, tags: &[(&str, &str)]) -> Database {
    let address = format!("{name}.c0abc.ap-northeast-1.rds.amazonaws.com");
    Database {
        id: HostId::of_database(&format!("db-{number:04X}")).unwrap(),
        name: name.to_owned(),
        engine: "mysql".into(),
        engine_version: "8.0.36".into(),
        class: "db.r6g.large".into(),
        status: "available".into(),
        created: Some("2024-01-01T00:00:00Z".parse().unwrap()),
        tags: tags.iter().copied().collect(),
        endpoint: Some(DatabaseEndpoint { address, port: 3306 }),
        zone: None,
        multi_az: None,
        vpc: None,
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_groups: Vec::new(),
        option_groups: Vec::new(),
        cluster: None,
        replica_of: None,
        replicas: Vec::new(),
        deletion_protection: true,
        restarts: None,
    }
}

/// Databases get environments and roles as instances do, and an integration's registration is theirs.
#[test]
fn databases_are_hosts() {
    let mut seen = Seen::new();
    for n in 1..=4 {
        seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")]).registered("Acme", "app", &["check-app"]);
    }
    let mut recording = seen.recording();
    let inventory = Arc::make_mut(recording.snapshot.inventories.values_mut().next().unwrap());
    let mut databases: Vec<Database> = (1..=3).map(|n| database(n, &format!("jp1-db-{n}"), &[])).collect();
    databases[0].tags = [("Env", "jp1"), ("Role", "db")].into_iter().collect();
    databases.push(Database { engine: "docdb".into(), ..database(8, "jp1-docs-1", &[]) });
    databases.push(Database { status: "deleting".into(), ..database(9, "jp1-db-9", &[]) });
    inventory.databases = Reading::complete_at("databases", now(), databases);
    inventory.clusters = Reading::complete_at("clusters", now(), Vec::new());
    let registry = Arc::make_mut(recording.snapshot.registries.values_mut().next().unwrap());
    registry.hosts.seen.push(Registration {
        id: "rds".into(),
        custom_identifier: Some("JP1-DB-1.c0abc.ap-northeast-1.rds.amazonaws.com".to_owned()),
        roles: vec![Scope { service: "Acme".to_owned(), role: Some("db".to_owned()) }],
        ..registry.hosts.seen[0].clone()
    });
    let draft = import(&recording, &WISHES);
    assert_eq!(roles(&draft), ["app: Duty *app*  =app", "db: Duty *db*  =db"]);
    assert_eq!(environments(&draft), ["jp1: Env=jp1, ^jp1-"]);
    let key = key();
    let observed = observe(&recording, Some(&key));
    assert_eq!((observed.databases, observed.hosts.len()), (3, 7));
    assert_eq!(observed.system.as_ref().unwrap().joined, 5);
    let roll = plan(&recording, &draft);
    assert_eq!(roll.systems[&key].joined, 5, "as the engine joins");
    let homeless = [Code::Unclaimed, Code::NoDuty];
    assert!(!roll.findings.iter().any(|finding| homeless.contains(&finding.code)), "{:?}", roll.findings);
}

#[test]
fn databases_that_could_not_be_read_are_said() {
    let mut seen = Seen::new();
    seen.host("jp1-app-1", &[("Env", "jp1")]);
    let mut recording = seen.recording();
    let mut blind = |databases: Reading<Vec<Database>>| {
        let inventory = Arc::make_mut(recording.snapshot.inventories.values_mut().next().unwrap());
        inventory.databases = databases;
        observe(&recording, None).blind
    };
    let denied = Failure::new(FailureKind::Denied, "403");
    let told = blind(Reading::failed("databases", now(), denied));
    assert_eq!(told, ["RDS 123456789012/ap-northeast-1: could not be read (Denied)"]);
    let not_recorded = Reading::not_yet("databases", Timestamp::UNIX_EPOCH);
    assert!(blind(not_recorded).is_empty(), "a recording from before they were read");
}

type Registered = (Option<String>, Option<usize>, Option<u8>, Vec<String>);

fn registered() -> impl Strategy<Value = Registered> {
    let of = proptest::option::of(0_usize..6);
    (
        proptest::option::of(hostile()),
        of,
        proptest::option::of(0_u8..4),
        proptest::collection::vec(hostile(), 0..3),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The law: however hosts are called there, the rules are ones that the API server takes, and they join what was said.
    #[test]
    fn the_engine_joins_what_was_said(rows in proptest::collection::vec(registered(), 1..12), key in "[A-Za-z_-]{1,4}") {
        let (mut seen, mut nagios) = (Seen::new(), Nagios::default());
        for n in 0..5_u8 {
            seen.host(&format!("jp1-app-{n}"), &[("Env", "jp1")]);
            seen.instances.last_mut().unwrap().addresses = vec![[10, 0, 0, n / 2].into()];
        }
        for (name, of, address, services) in &rows {
            let name = name.clone().unwrap_or_else(|| format!("jp1-app-{}.x", of.unwrap_or(9)));
            let value = of.map(id);
            let variables: Vec<(&str, &str)> = value.iter().map(|id| (key.as_str(), id.as_str())).collect();
            let services: Vec<&str> = services.iter().map(String::as_str).collect();
            nagios.host(&name, &variables, &services);
            if let Some(last) = address {
                nagios.at(&format!("10.0.0.{last}"));
            }
        }
        told(&nagios.recording(&seen), &WISHES);
    }
}
