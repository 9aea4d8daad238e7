//! What puts right what was found, in the words and by the commands of the product in which it was found.
//!
//! It only advises: nothing here is ever run. A test asks the real programs for every command that is named.

use super::stand::Stand;
use crate::fleet::Look;
use crate::registry::Product;
use crate::text::clean;

/// A host that is not registered.
pub(super) fn register(product: Product) -> &'static str {
    match product {
        Product::Mackerel => {
            "on the host: rm /var/lib/mackerel-agent/id; systemctl restart mackerel-agent (install mackerel-agent where it is not)"
        }
        Product::Nagios => {
            "define the host in Nagios so that a rule of spec.join finds it (a custom variable _INSTANCE_ID is the surest); check \
             the configuration and reload it: nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4"
        }
    }
}

/// A host that is registered and sends nothing.
pub(super) fn wake(product: Product) -> &'static str {
    match product {
        Product::Mackerel => "on the host: systemctl status mackerel-agent; systemctl restart mackerel-agent",
        Product::Nagios => "see why Nagios gets no results of it: systemctl status nagios4",
    }
}

/// A required check that is not there.
pub(super) fn add(product: Product, look: &Look) -> String {
    match (product, look) {
        (Product::Mackerel, Look::Check(name)) => {
            format!(
                "add [plugin.checks.{}] to mackerel-agent.conf and restart mackerel-agent",
                clean(name.as_str())
            )
        }
        (Product::Nagios, Look::Check(name)) => format!(
            "define the service \"{}\" for the host; nagios4 -v /etc/nagios4/nagios.cfg && systemctl reload nagios4",
            clean(name.as_str())
        ),
        (_, Look::Metric(..) | Look::Connectivity) => format!("add the monitor in {}", product.as_str()),
    }
}

/// A check that is there and does not stand as it should.
pub(super) fn mend(stand: Stand) -> &'static str {
    match stand {
        Stand::Mute => "switch its notifications on (notifications_enabled 1, and on its page)",
        Stand::InDowntime => "end its downtime, or shorten it",
        Stand::Idle => {
            "switch its checks on (active_checks_enabled or passive_checks_enabled 1, and on its page)"
        }
        Stand::Overdue => {
            "see why no result of it comes: whether the system runs, or whoever reports it from outside"
        }
        Stand::Runs | Stand::Unknown(_) => "nothing is to be done",
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
        Product::Nagios => format!("remove from the configuration of Nagios and reload it: {ids}"),
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
