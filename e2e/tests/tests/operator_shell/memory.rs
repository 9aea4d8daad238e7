//! Memory on the real API server: big ones in parts, a crash between two parts, and two who write at once.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams};
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::memory::Memory;
use rollcall_operator::act::Budget;
use rollcall_operator::memory::{Keeper, MemoryError, load};
use rollcall_operator::metrics::Metrics;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::script::place;
use super::stage::{HOME, REGION, Stage, TEAM, host_id};

const OWNER: &str = "rollcall";

/// Memory of so many hosts, with names that no packer can make smaller.
fn memory(hosts: usize, salt: u64) -> Arc<Memory> {
    let mut memory = Memory::default();
    let here = memory.places.entry(place(REGION)).or_default();
    let mut noise = salt;
    for number in 0..hosts {
        let mut name = String::new();
        for _ in 0..8 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            write!(name, "{:08x}", noise >> 32).unwrap();
        }
        let host = serde_json::json!({"name": name, "firstSeen": "2026-11-01T00:00:00Z"});
        here.hosts.insert(host_id(TEAM, number).into(), serde_json::from_value(host).unwrap());
    }
    let system = memory.systems.entry(rollcall_engine::ids::ObjectKey::new(TEAM, "mackerel")).or_default();
    system.registrations.insert("i-0a".into(), vec![RegistrationId::new("3yAYEDLXKL5")]);
    Arc::new(memory)
}

fn api(stage: &Stage) -> Api<ConfigMap> {
    Api::namespaced(stage.client.clone(), HOME)
}

async fn keeper(stage: &Stage) -> Result<(Keeper, Arc<Memory>)> {
    let loaded = load(&api(stage), OWNER).await?;
    let (budget, metrics) = (Arc::new(Budget::per_second(100)), Arc::new(Metrics::default()));
    let keeper = Keeper::new(api(stage), OWNER, Duration::ZERO, budget, metrics, &loaded);
    Ok((keeper, loaded.memory))
}

/// As at shutdown: everything is written before it returns.
async fn keep(keeper: &mut Keeper, memory: &Arc<Memory>) -> Result<(), MemoryError> {
    let (_tell, told) = watch::channel(Arc::clone(memory));
    let stop = CancellationToken::new();
    stop.cancel();
    keeper.run(told, &stop).await
}

async fn names(stage: &Stage) -> Result<Vec<String>> {
    let maps = api(stage).list(&ListParams::default().labels("rollcall.dev/memory")).await?;
    Ok(maps.items.into_iter().filter_map(|map| map.metadata.name).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_big_for_one_map_comes_back_whole_also_after_a_crash_half_way() -> Result<()> {
    let stage = Stage::empty().await?;
    let (mut first, nothing) = keeper(&stage).await?;
    assert_eq!(*nothing, Memory::default(), "the first start remembers nothing, and that is no error");
    let big = memory(30_000, 1);
    keep(&mut first, &big).await?;
    let maps = names(&stage).await?;
    assert!(maps.len() >= 3, "a place in parts and a system: {maps:?}");
    let (mut second, found) = keeper(&stage).await?;
    assert_eq!(*found, *big);

    // The next state goes into the other slot, and the old parts go.
    let bigger = memory(30_500, 2);
    keep(&mut second, &bigger).await?;
    assert_eq!(names(&stage).await?.len(), maps.len());
    assert_eq!(*keeper(&stage).await?.1, *bigger);

    // A crash after the first part of a third state: parts that no head names are litter, not memory.
    let head = maps.iter().find(|name| name.contains("place")).unwrap().trim_end_matches("-a1").to_owned();
    let litter = ConfigMap {
        metadata: ObjectMeta {
            name: Some(format!("{head}-a1")),
            labels: Some([("rollcall.dev/memory".to_owned(), "part".to_owned())].into()),
            ..ObjectMeta::default()
        },
        binary_data: Some([("shard.json.gz".to_owned(), k8s_openapi::ByteString(b"half".to_vec()))].into()),
        ..ConfigMap::default()
    };
    api(&stage).create(&PostParams::default(), &litter).await?;
    let (mut third, found) = keeper(&stage).await?;
    assert_eq!(*found, *bigger);
    let smaller = memory(10, 3);
    keep(&mut third, &smaller).await?;
    let (mut last, found) = keeper(&stage).await?;
    assert_eq!(*found, *smaller);

    // What is forgotten is removed.
    keep(&mut last, &Arc::new(Memory::default())).await?;
    assert!(!names(&stage).await?.iter().any(|name| name == &head));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_write_at_once_the_second_is_told() -> Result<()> {
    let stage = Stage::empty().await?;
    let (mut first, _) = keeper(&stage).await?;
    keep(&mut first, &memory(3, 1)).await?;
    let (mut deposed, _) = keeper(&stage).await?;
    keep(&mut first, &memory(4, 1)).await?;
    let refused = keep(&mut deposed, &memory(5, 1)).await.unwrap_err();
    assert!(matches!(refused, MemoryError::Conflict { .. }), "{refused}");
    assert_eq!(*keeper(&stage).await?.1, *memory(4, 1), "the first one's stands");

    // The same at the very first write: both believe that there is nothing yet.
    for name in names(&stage).await? {
        api(&stage).delete(&name, &kube::api::DeleteParams::default()).await?;
    }
    let (mut one, _) = keeper(&stage).await?;
    let (mut other, _) = keeper(&stage).await?;
    keep(&mut one, &memory(6, 1)).await?;
    let refused = keep(&mut other, &memory(7, 1)).await.unwrap_err();
    assert!(matches!(refused, MemoryError::Conflict { .. }), "{refused}");
    Ok(())
}
