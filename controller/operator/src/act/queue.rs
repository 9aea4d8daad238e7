//! What is still to be written: decisions before people's objects before hosts, one write of an object at a time.

use std::collections::{BTreeMap, VecDeque};

use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::ObjectKey;

use crate::status::{HostWrite, ObjectWrite, RetirementWrite, Writes};

/// One write.
#[derive(Clone, Debug)]
pub(super) enum Job {
    Retirement(Box<RetirementWrite>),
    Object(Box<ObjectWrite>),
    Host(Box<HostWrite>),
}

/// The object that a job writes; `None` is a Host.
type Target = (Option<Kind>, ObjectKey);

impl Job {
    fn target(&self) -> Target {
        match self {
            Self::Retirement(write) => (Some(Kind::Retirement), write.key().clone()),
            Self::Object(write) => (Some(write.kind), write.key.clone()),
            Self::Host(write) => (None, write.key().clone()),
        }
    }
}

/// Writes that wait, and the objects on which one is under way.
#[derive(Default)]
pub(super) struct Queue {
    retirements: VecDeque<RetirementWrite>,
    objects: VecDeque<ObjectWrite>,
    hosts: VecDeque<HostWrite>,
    /// Whether another write of the object was wanted meanwhile.
    under_way: BTreeMap<Target, bool>,
    /// The list was cut: when it is done, there is more.
    more: bool,
}

impl Queue {
    /// The latest pass has spoken: its wishes replace those that wait. What rests is left out, and what is under way
    /// ends first.
    pub(super) fn replace(&mut self, writes: Writes, is_resting: impl Fn(&(Kind, ObjectKey)) -> bool) {
        let Writes { objects, hosts, retirements, later, .. } = writes;
        let under_way = &mut self.under_way;
        let mut is_free = |target: &Target| match under_way.get_mut(target) {
            Some(again) => {
                *again = true;
                false
            }
            None => true,
        };
        let mut wanted: VecDeque<ObjectWrite> = VecDeque::new();
        for write in objects {
            if !is_resting(&(write.kind, write.key.clone()))
                && is_free(&(Some(write.kind), write.key.clone()))
            {
                wanted.push_back(write);
            }
        }
        let is_wanted = |write: &RetirementWrite| {
            let target = (Kind::Retirement, write.key().clone());
            !is_resting(&target) && is_free(&(Some(target.0), target.1))
        };
        self.retirements = retirements.into_iter().filter(is_wanted).collect();
        self.objects = wanted;
        self.hosts = hosts.into_iter().filter(|write| is_free(&(None, write.key().clone()))).collect();
        self.more = later > 0;
    }

    /// The next write; it is under way from now on.
    pub(super) fn begin(&mut self) -> Option<Job> {
        let retirement = self.retirements.pop_front().map(|write| Job::Retirement(Box::new(write)));
        let object = || self.objects.pop_front().map(|write| Job::Object(Box::new(write)));
        let job = retirement
            .or_else(object)
            .or_else(|| self.hosts.pop_front().map(|write| Job::Host(Box::new(write))))?;
        self.under_way.insert(job.target(), false);
        Some(job)
    }

    /// The write has ended. Says whether a new pass should look at what is left.
    pub(super) fn done(&mut self, job: &Job) -> bool {
        let again = self.under_way.remove(&job.target()).unwrap_or(false);
        let drained = self.is_empty() && self.more;
        if drained {
            self.more = false;
        }
        again || drained
    }

    pub(super) fn is_empty(&self) -> bool {
        self.retirements.is_empty() && self.objects.is_empty() && self.hosts.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.retirements.len() + self.objects.len() + self.hosts.len()
    }

    /// Are hosts being written for the first time?
    pub(super) fn is_wave(&self) -> bool {
        self.hosts.iter().any(|write| matches!(write, HostWrite::Create { .. }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn object(name: &str) -> ObjectWrite {
        ObjectWrite {
            kind: Kind::Environment,
            key: ObjectKey::new("team", name),
            uid: String::new(),
            status: Value::Null,
            hash: 0,
            notices: Vec::new(),
        }
    }

    fn host(name: &str) -> HostWrite {
        HostWrite::Delete { key: ObjectKey::new("team", name), resource_version: 1 }
    }

    fn wishes(objects: Vec<ObjectWrite>, hosts: Vec<HostWrite>, later: usize) -> Writes {
        Writes { objects, hosts, later, ..Writes::default() }
    }

    fn names(queue: &mut Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.begin()).map(|job| job.target().1.name.to_string()).collect()
    }

    #[test]
    fn objects_come_before_hosts_and_a_newer_pass_replaces_the_older() {
        let mut queue = Queue::default();
        queue.replace(wishes(vec![], vec![host("i-1"), host("i-2")], 0), |_| false);
        queue.replace(wishes(vec![object("jp1")], vec![host("i-2")], 0), |_| false);
        assert_eq!(names(&mut queue), ["jp1", "i-2"]);
    }

    #[test]
    fn what_is_under_way_is_not_begun_twice_and_is_looked_at_again() {
        let mut queue = Queue::default();
        queue.replace(wishes(vec![object("jp1")], vec![], 0), |_| false);
        let first = queue.begin().unwrap();
        queue.replace(wishes(vec![object("jp1"), object("jp2")], vec![], 0), |_| false);
        assert_eq!(names(&mut queue), ["jp2"]);
        assert!(queue.done(&first), "another write was wanted meanwhile");
    }

    #[test]
    fn the_end_of_a_cut_list_asks_for_the_rest() {
        let mut queue = Queue::default();
        queue.replace(wishes(vec![], vec![host("i-1"), host("i-2")], 7), |_| false);
        let (first, second) = (queue.begin().unwrap(), queue.begin().unwrap());
        assert!(queue.done(&first));
        assert!(!queue.done(&second), "asked once");
    }
}
