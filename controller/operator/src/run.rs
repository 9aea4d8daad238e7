//! Puts the pieces together and takes them apart in order. A panic anywhere is the end of the process: half an
//! operator is worse than none.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Config};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::act::{Act, Budget, Calls, Events, Mailbox};
use crate::calls::Clients;
use crate::clock::{Clock, MachineClock};
use crate::decide::{Decide, Remembered};
use crate::health::Health;
use crate::http::{self, Shown};
use crate::lease::{Candidate, Standing, Term};
use crate::memory::{Keeper, Loaded, MemoryError, load};
use crate::metrics::Metrics;
use crate::notify::{Post, Sender};
use crate::observe::{self, Board, Observer};
use crate::settings::Settings;
use crate::sources::Sources;
use crate::watch::{self as watches, DesiredState, Stores};

/// From the request to end to the end; Kubernetes kills after 30 s.
const END_WITHIN: Duration = Duration::from_secs(18);

/// What was proved of single hosts is held over a restart, and over no longer a time without a leader: nobody knows then
/// what was changed on them.
const PROOFS_OUTLIVE: Duration = Duration::from_hours(1);

/// Memory that cannot be read is looked at again: a person may be repairing it.
const LOAD_AGAIN: Duration = Duration::from_secs(15);

/// Where we listen.
pub struct Listeners {
    /// For `/metrics`, `/healthz`, `/readyz`.
    pub observability: TcpListener,
    /// For `/v1/recording`.
    pub recording: TcpListener,
}

impl Listeners {
    /// Listens where the settings say.
    ///
    /// # Errors
    /// When an address is taken or not ours.
    pub async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let bind = async |address| {
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
        };
        Ok(Self {
            observability: bind(settings.observability_address).await?,
            recording: bind(settings.recording_address).await?,
        })
    }
}

/// Runs the operator until `shutdown` resolves, then ends it within 20 seconds: no new pass, last writes, memory,
/// lease.
///
/// # Errors
/// When it cannot begin, or when a part of it ended that never should.
pub async fn run(
    cluster: Config,
    settings: Settings,
    sources: Arc<dyn Sources>,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let listeners = Listeners::bind(&settings).await?;
    run_on(listeners, cluster, settings, sources, shutdown).await
}

/// As [`run`], on listeners that the caller made.
///
/// # Errors
/// As [`run`].
pub async fn run_on(
    listeners: Listeners,
    cluster: Config,
    settings: Settings,
    sources: Arc<dyn Sources>,
    shutdown: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let clients = Clients::new(cluster).context("cannot make a client for the cluster")?;
    let clock = clock(&settings).await?;
    let (standing, seen) = watch::channel(Standing::Standby { holder: None });
    let operator = Arc::new(Operator::new(clients, clock, settings, Arc::clone(&sources), seen));
    let (stop, release) = (CancellationToken::new(), CancellationToken::new());
    let mut tasks = JoinSet::new();
    tasks.spawn(watches::run(operator.clients.watches.clone(), Arc::clone(&operator.stores)));
    tasks.spawn(http::observability(listeners.observability, operator.shown(&sources)));
    tasks.spawn(http::recording(listeners.recording, operator.shown(&sources)));
    tasks.spawn(observe::run(Arc::new(operator.observer(sources))));
    let candidate = Candidate::new(operator.clients.calls.clone(), &operator.settings);
    // Aborted when dropped: whichever way we leave, nobody goes on writing.
    let mut competing = AbortOnDropHandle::new(tokio::spawn(candidate.compete(standing, release.clone())));
    let mut reigning = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&operator).reign(stop.clone())));
    tracing::info!(identity = %operator.settings.identity, namespace = %operator.settings.namespace, "operator running");

    tokio::select! {
        () = shutdown => {}
        Some(ended) = tasks.join_next() => return ended?.context("a part of the operator ended"),
        ended = &mut reigning => return ended?.context("deciding ended"),
        ended = &mut competing => return ended.context("competing for the lease ended"),
    }
    tracing::info!("ending: no new pass, then last writes, memory and the lease");
    stop.cancel();
    let orderly = async {
        reigning.await??;
        release.cancel();
        competing.await?;
        anyhow::Ok(())
    };
    tokio::time::timeout(END_WITHIN, orderly)
        .await
        .context("not ended in time; the lease runs out by itself")??;
    tracing::info!("ended");
    Ok(())
}

async fn clock(settings: &Settings) -> anyhow::Result<Clock> {
    #[cfg(feature = "test-clock")]
    if let Some(base) = &settings.world_clock {
        tracing::warn!(%base, "decisions follow the clock of a fake world");
        return Ok(Arc::new(crate::clock::FollowedClock::follow(base).await?));
    }
    // Only the fake clock has something to wait for.
    let _ = settings;
    std::future::ready(()).await;
    Ok(Arc::new(MachineClock))
}

/// Everything that lives as long as the process.
struct Operator {
    clients: Clients,
    clock: Clock,
    settings: Arc<Settings>,
    stores: Arc<Stores>,
    desired: Arc<DesiredState>,
    board: Arc<Board>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    remembered: Arc<Remembered>,
    standing: watch::Receiver<Standing>,
    budget: Arc<Budget>,
    sources: Arc<dyn Sources>,
}

impl Operator {
    fn new(
        clients: Clients,
        clock: Clock,
        settings: Settings,
        sources: Arc<dyn Sources>,
        standing: watch::Receiver<Standing>,
    ) -> Self {
        let stores = Arc::new(Stores::default());
        Self {
            clients,
            clock,
            board: Arc::new(Board::new(Arc::clone(&stores))),
            stores,
            desired: Arc::default(),
            health: Arc::default(),
            metrics: Arc::default(),
            remembered: Arc::default(),
            standing,
            budget: Arc::new(Budget::per_second(settings.writes_per_second)),
            settings: Arc::new(settings),
            sources,
        }
    }

    fn observer(&self, sources: Arc<dyn Sources>) -> Observer {
        Observer {
            client: self.clients.calls.clone(),
            settings: Arc::clone(&self.settings),
            sources,
            clock: Arc::clone(&self.clock),
            board: Arc::clone(&self.board),
            stores: Arc::clone(&self.stores),
            desired: Arc::clone(&self.desired),
            remembered: self.remembered.subscribe(),
            metrics: Arc::clone(&self.metrics),
        }
    }

    fn shown(&self, sources: &Arc<dyn Sources>) -> Shown {
        Shown {
            client: self.clients.calls.clone(),
            clock: Arc::clone(&self.clock),
            board: Arc::clone(&self.board),
            stores: Arc::clone(&self.stores),
            health: Arc::clone(&self.health),
            sources: Arc::clone(sources),
            metrics: Arc::clone(&self.metrics),
            settings: Arc::clone(&self.settings),
            desired: Arc::clone(&self.desired),
            remembered: self.remembered.subscribe(),
            standing: self.standing.clone(),
            one_at_a_time: Arc::new(Semaphore::new(1)),
        }
    }

    /// Does the leader's work in every term, until told to stop.
    async fn reign(self: Arc<Self>, stop: CancellationToken) -> anyhow::Result<()> {
        let mut standing = self.standing.clone();
        loop {
            let term = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                found = standing.wait_for(Standing::is_leader) => match &*found? {
                    Standing::Leader(term) => term.clone(),
                    Standing::Standby { .. } => continue,
                },
            };
            self.health.leads(true);
            self.metrics.leads(true);
            tokio::select! {
                worked = self.lead(&term, &stop) => worked?,
                // Whatever is under way is dropped where it stands.
                () = term.ended() => {}
            }
            self.health.leads(false);
            self.metrics.leads(false);
            self.remembered.send_replace(None);
        }
    }

    /// One term's work: memory first, then passes, writes and memory side by side.
    async fn lead(&self, term: &Term, stop: &CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            self.remembered.send_replace(None);
            let Some(loaded) = self.load(stop).await else { return Ok(()) };
            match self.work(term, loaded, stop).await {
                Err(error) if error.downcast_ref::<MemoryError>().is_some() => {
                    tracing::error!(%error, "memory is not ours to go on from");
                    self.health.trouble(error.to_string());
                }
                worked => return worked,
            }
        }
        Ok(())
    }

    /// Memory, once it can be read. Without it nothing is decided: what is forgotten would look new or never seen.
    async fn load(&self, stop: &CancellationToken) -> Option<Loaded> {
        loop {
            match load(&self.memory_api(), &self.settings.lease_name).await {
                Ok(loaded) => return Some(loaded),
                Err(error) => {
                    tracing::error!(%error, "memory cannot be read; nothing is decided");
                    self.health.trouble(error.to_string());
                }
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(LOAD_AGAIN) => {}
            }
        }
    }

    async fn work(&self, term: &Term, loaded: Loaded, stop: &CancellationToken) -> anyhow::Result<()> {
        let (tell_memory, memory) = watch::channel(Arc::clone(&loaded.memory));
        let mut keeper = Keeper::new(
            self.memory_api(),
            &self.settings.lease_name,
            self.settings.memory_interval,
            Arc::clone(&self.budget),
            Arc::clone(&self.metrics),
            &loaded,
        );
        drop(loaded);
        if term.vacancy.is_none_or(|vacancy| vacancy > PROOFS_OUTLIVE) {
            tell_memory.send_modify(|memory| Arc::make_mut(memory).forget_proofs());
        }
        self.board.begin_term(self.clock.now());
        self.remembered.send_replace(Some(Arc::clone(&tell_memory.borrow())));
        let act = Arc::new(self.act(term));
        let wanted = Mailbox::default();
        let post = Arc::new(Post::default());
        let decide = Arc::new(self.decide(&post));
        let sender = self.sender();
        let keep = CancellationToken::new();
        let deciding = async {
            let acting = async {
                act.run(&wanted, stop).await;
                anyhow::Ok(())
            };
            let sending = async {
                sender.run(&post, term, stop).await;
                anyhow::Ok(())
            };
            tokio::try_join!(decide.run(&tell_memory, &act, &wanted, stop), acting, sending)?;
            // Memory is kept last: the last pass may have changed it.
            keep.cancel();
            anyhow::Ok(())
        };
        let keeping = async { keeper.run(memory, &keep).await.map_err(anyhow::Error::from) };
        tokio::try_join!(deciding, keeping).map(drop)
    }

    fn act(&self, term: &Term) -> Act {
        Act::new(
            Calls::new(self.clients.calls.clone(), Arc::clone(&self.budget)),
            Events::new(self.clients.calls.clone(), &self.settings.identity),
            Arc::clone(&self.budget),
            self.settings.write_concurrency.max(1),
            Arc::clone(&self.stores),
            Arc::clone(&self.metrics),
            term.clone(),
        )
    }

    fn sender(&self) -> Sender {
        Sender {
            client: self.clients.calls.clone(),
            settings: Arc::clone(&self.settings),
            clock: Arc::clone(&self.clock),
            sources: Arc::clone(&self.sources),
            stores: Arc::clone(&self.stores),
            desired: Arc::clone(&self.desired),
            board: Arc::clone(&self.board),
        }
    }

    fn decide(&self, post: &Arc<Post>) -> Decide {
        Decide {
            post: Arc::clone(post),
            settings: Arc::clone(&self.settings),
            clock: Arc::clone(&self.clock),
            stores: Arc::clone(&self.stores),
            desired: Arc::clone(&self.desired),
            board: Arc::clone(&self.board),
            health: Arc::clone(&self.health),
            metrics: Arc::clone(&self.metrics),
            remembered: Arc::clone(&self.remembered),
        }
    }

    fn memory_api(&self) -> Api<ConfigMap> {
        Api::namespaced(self.clients.calls.clone(), &self.settings.namespace)
    }
}
