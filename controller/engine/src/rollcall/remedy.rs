//! What puts right what was found, in the words and by the commands of the product in which it was found, and of the
//! service that runs the host.
//!
//! It only advises: nothing here is ever run. A test asks the real programs for every command that is named.

use super::population::HostView;
use super::stand::Stand;
use crate::fleet::{Look, Wish};
use crate::ids::ObjectKey;
use crate::registry::Product;
use crate::text::{argument, clean};

/// A host that is not registered. A database has no agent: to register it is the AWS integration's work.
pub(super) fn register(product: Product, host: &HostView<'_>) -> &'static str {
    match (product, host.id.is_database()) {
        (Product::Mackerel, true) => {
            "in Mackerel's AWS integration of its account and region: enable RDS, and let its tags through: mkr aws-integrations"
        }
        (Product::Mackerel, false) => {
            "on the host: rm /var/lib/mackerel-agent/id; systemctl restart mackerel-agent (install mackerel-agent where it is not)"
        }
        (Product::Nagios, _) => {
            "define the host in Nagios so that a rule of spec.join finds it (a custom variable _INSTANCE_ID is the surest); check \
             the configuration and reload it: nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4"
        }
    }
}

/// A host that is registered and sends nothing.
pub(super) fn wake(product: Product, host: &HostView<'_>) -> &'static str {
    match (product, host.id.is_database()) {
        (Product::Mackerel, true) => {
            "see whether Mackerel's AWS integration still reads it (role, region, tags, metrics): mkr aws-integrations"
        }
        (Product::Mackerel, false) => {
            "on the host: systemctl status mackerel-agent; systemctl restart mackerel-agent"
        }
        (Product::Nagios, _) => "see why Nagios gets no results of it: systemctl status nagios4",
    }
}

/// A required check that is not there.
pub(super) fn add(product: Product, host: &HostView<'_>, look: &Look) -> String {
    match (product, look) {
        (Product::Mackerel, Look::Check(name)) => add_to_agent(host, &clean(name.as_str())),
        (Product::Nagios, Look::Check(name)) => format!(
            "define the service \"{}\" for the host; nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4",
            clean(name.as_str())
        ),
        (_, Look::Metric(..) | Look::Connectivity | Look::External(_) | Look::Hosted { .. }) => {
            format!("add the monitor in {}", product.as_str())
        }
    }
}

/// What watches an environment from outside and is not there.
pub(super) fn add_outside(product: Product, look: &Look) -> String {
    match (product, look) {
        (Product::Mackerel, Look::External(_)) => {
            "add it: mkr monitors pull; write an entry of type external; mkr monitors diff; mkr monitors push"
                .to_owned()
        }
        (Product::Nagios, Look::Hosted { host, name }) => format!(
            "define the service \"{}\" for the host \"{}\"; nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4",
            clean(name.as_str()),
            clean(host)
        ),
        _ => format!("add it in {}", product.as_str()),
    }
}

fn add_to_agent(host: &HostView<'_>, name: &str) -> String {
    let Some(endpoint) = host.endpoint() else {
        return format!("add [plugin.checks.{name}] to mackerel-agent.conf and restart mackerel-agent");
    };
    format!(
        "on a host that reaches it add [plugin.checks.{name}] with custom_identifier = {} to mackerel-agent.conf and restart mackerel-agent",
        argument(endpoint)
    )
}

/// What mends a check that lacks something, or the end of the check.
pub(super) fn or_delete(mend: &str, check: &ObjectKey) -> String {
    format!("{mend}; or, if nobody needs it: kubectl delete rccheck -n {} {}", check.namespace, check.name)
}

/// Alerts that do not reach whom they must.
pub(super) fn route(product: Product) -> &'static str {
    match product {
        Product::Mackerel => {
            "put the monitor, or the service of its host, into a notification group that uses the channel: mkr channels pull shows them"
        }
        Product::Nagios => {
            "name the contact or its group in contacts or contact_groups; nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4"
        }
    }
}

/// A check that is there and does not stand as it should.
pub(super) fn mend(stand: Stand) -> &'static str {
    match stand {
        Stand::Mute => {
            "switch its notifications on (notifications_enabled 1, and on its page), or those of the whole program (enable_notifications)"
        }
        Stand::InDowntime => "end its downtime, or shorten it",
        Stand::Idle => {
            "switch its checks on (active_checks_enabled or passive_checks_enabled 1, and on its page), or those of the whole program (execute_service_checks)"
        }
        Stand::Overdue => {
            "see why no result of it comes: whether the system runs, or whoever reports it from outside"
        }
        Stand::Off => "switch the system on as a whole",
        Stand::Runs | Stand::Unknown(_) => "nothing is to be done",
    }
}

/// Something of AWS that is otherwise than a check asserts.
pub(super) fn set_right(look: &str, check: &ObjectKey) -> String {
    format!(
        "see how it is: {look}; set it right where it is made, or correct what is asserted: kubectl edit rccheck -n {} {}",
        check.namespace, check.name
    )
}

/// Look at something of AWS that belongs to an environment.
pub(super) fn look_at(wish: &Wish) -> String {
    match wish {
        Wish::Address(name, _) => {
            format!("aws ec2 describe-addresses --filters Name=tag:Name,Values={}", argument(name))
        }
        Wish::Volume(name, _) => {
            format!("aws ec2 describe-volumes --filters Name=tag:Name,Values={}", argument(name))
        }
        Wish::SecurityGroup(wish) => {
            format!(
                "aws ec2 describe-security-groups --filters Name=group-name,Values={}",
                argument(&wish.name)
            )
        }
        Wish::Cluster(wish) => {
            format!("aws rds describe-db-clusters --db-cluster-identifier {}", argument(&wish.name))
        }
        Wish::SubnetGroup(wish) => {
            format!("aws rds describe-db-subnet-groups --db-subnet-group-name {}", argument(&wish.name))
        }
        Wish::Instance(_) => "aws ec2 describe-instances --max-items 1".to_owned(),
        Wish::Database(_) => "aws rds describe-db-instances --max-items 1".to_owned(),
    }
}

/// A system that is switched off as a whole.
pub(super) fn switch_on(is_mute: bool) -> &'static str {
    if is_mute {
        "on its page Process Info: Enable notifications; or enable_notifications=1 in nagios.cfg: nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4"
    } else {
        "on its page Process Info: Start executing service checks and host checks; or execute_service_checks=1 and execute_host_checks=1 in nagios.cfg: nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4"
    }
}

/// A check that nobody requires.
pub(super) fn drop_check(product: Product, name: &str) -> String {
    let remove = match product {
        Product::Mackerel => format!("remove [plugin.checks.{name}] from mackerel-agent.conf"),
        Product::Nagios => format!("remove the service \"{name}\" from its configuration"),
    };
    format!("write a RequiredCheck that asks for it, or {remove}")
}

/// Registrations that nobody needs any more.
pub(super) fn retire(product: Product, ids: &str) -> String {
    match product {
        Product::Mackerel => format!("mkr retire {ids}"),
        Product::Nagios => {
            format!(
                "correct what names its host there, or remove it from the configuration of Nagios and reload it: {ids}"
            )
        }
    }
}

/// A registration that another host speaks for.
pub(super) fn part(product: Product, ids: &str) -> String {
    let there = match product {
        Product::Mackerel => {
            "on the host that speaks in its name: rm /var/lib/mackerel-agent/id; systemctl restart mackerel-agent"
        }
        Product::Nagios => "see which host answers in its name",
    };
    format!("{there}; then: {}", retire(product, ids))
}

/// Let it have these roles, named as Mackerel does.
pub(super) fn set_roles(host: &HostView<'_>, roles: &[String], has_others: bool) -> String {
    if host.id.is_database() {
        let others = if has_others { ", and take the others off" } else { "" };
        return format!(
            "give it {} on its page, or in Mackerel's AWS integration{others}: mkr aws-integrations",
            roles.join(", ")
        );
    }
    let list: Vec<String> = roles.iter().map(|role| format!("\"{role}\"")).collect();
    let mut fix =
        format!("in mackerel-agent.conf set roles = [{}]; systemctl restart mackerel-agent", list.join(", "));
    if has_others {
        fix.push_str(
            "; then take the others off on the host's page (the agent adds roles, it never removes them)",
        );
    }
    fix
}

/// Tag it. What differs from database to database does not stand last: RDS takes one at a time, and commands that
/// differ in the last word alone are joined.
pub(super) fn tag_command(host: &HostView<'_>, key: &str, value: &str) -> String {
    if !host.id.is_database() {
        let id = argument(host.id.as_str());
        return format!("aws ec2 create-tags --tags Key={key},Value={value} --resources {id}");
    }
    let name = argument(host.name().unwrap_or_default());
    format!(
        "aws rds add-tags-to-resource --resource-name \"$(aws rds describe-db-instances --db-instance-identifier {name} \
         --query 'DBInstances[0].DBInstanceArn' --output text)\" --tags Key={key},Value={value}"
    )
}

/// Look at it.
pub(super) fn look_command(host: &HostView<'_>) -> String {
    if host.id.is_database() {
        let name = argument(host.name().unwrap_or_default());
        return format!("aws rds describe-db-instances --db-instance-identifier {name} --output table");
    }
    format!("aws ec2 describe-instances --instance-ids {}", argument(host.id.as_str()))
}
