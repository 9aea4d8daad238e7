//! Which addresses may be called: the table, the laws, and real sockets that must see no connection.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use reqwest::header::{HeaderName, HeaderValue};
use rollcall_monitoring::endpoint::{EndpointError, EndpointPolicy, Lookup, Special, special};
use rollcall_monitoring::http::{CallError, Get, Http, Pace, Patience, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn policy(allow_http: bool, cidrs: &[&str]) -> EndpointPolicy {
    EndpointPolicy { allow_http, allowed_cidrs: cidrs.iter().map(|c| c.parse().unwrap()).collect() }
}

#[test]
fn addresses_and_what_they_are() {
    use Special::*;
    for (address, expected) in [
        // Public.
        ("1.1.1.1", None),
        ("52.195.0.1", None),
        ("99.255.255.255", None),
        ("172.15.255.255", None),
        ("172.32.0.0", None),
        ("2606:4700::1111", None),
        ("2406:da14::1", None),
        ("::ffff:1.1.1.1", None),
        ("64:ff9b::101:101", None),
        // This machine.
        ("127.0.0.1", Some(Loopback)),
        ("127.255.255.254", Some(Loopback)),
        ("::1", Some(Loopback)),
        ("::ffff:127.0.0.1", Some(Loopback)),
        ("64:ff9b::7f00:1", Some(Loopback)),
        ("0.0.0.0", Some(Unspecified)),
        ("0.1.2.3", Some(Unspecified)),
        ("::", Some(Unspecified)),
        // The cloud's own services.
        ("169.254.169.254", Some(Metadata)),
        ("::ffff:169.254.169.254", Some(Metadata)),
        ("64:ff9b::a9fe:a9fe", Some(Metadata)),
        ("169.254.170.2", Some(Metadata)),
        ("169.254.170.23", Some(Metadata)),
        ("fd00:ec2::254", Some(Metadata)),
        ("fd00:ec2::23", Some(Metadata)),
        ("168.63.129.16", Some(Metadata)),
        // This network.
        ("169.254.0.1", Some(LinkLocal)),
        ("fe80::1", Some(LinkLocal)),
        ("febf::1", Some(LinkLocal)),
        ("10.0.0.1", Some(Private)),
        ("172.16.0.1", Some(Private)),
        ("172.31.255.255", Some(Private)),
        ("192.168.1.1", Some(Private)),
        ("::ffff:10.1.2.3", Some(Private)),
        ("fc00::1", Some(Private)),
        ("fdff:ffff::1", Some(Private)),
        ("100.64.0.1", Some(Shared)),
        ("100.127.255.255", Some(Shared)),
        // Nobody.
        ("224.0.0.1", Some(Multicast)),
        ("239.255.255.255", Some(Multicast)),
        ("ff02::1", Some(Multicast)),
        ("255.255.255.255", Some(Reserved)),
        ("240.0.0.1", Some(Reserved)),
        ("192.0.0.1", Some(Reserved)),
        ("192.0.2.1", Some(Reserved)),
        ("192.88.99.1", Some(Reserved)),
        ("198.18.0.1", Some(Reserved)),
        ("198.51.100.1", Some(Reserved)),
        ("203.0.113.1", Some(Reserved)),
        ("2001::1", Some(Reserved)),
        ("2001:db8::1", Some(Reserved)),
        ("2002:7f00:1::", Some(Reserved)),
        ("3fff::1", Some(Reserved)),
        ("::127.0.0.1", Some(Reserved)),
        ("64:ff9b:1::a00:1", Some(Reserved)),
        ("fec0::1", Some(Reserved)),
        ("4000::1", Some(Reserved)),
    ] {
        assert_eq!(special(address.parse().unwrap()), expected, "{address}");
    }
}

#[test]
fn urls_and_the_rule_they_break() {
    let plain = policy(false, &[]);
    for url in [
        "https://api.mackerelio.com/",
        "https://api.mackerelio.com",
        "https://kcps-mackerel.io/base",
        "https://monitoring.example.com:8443/",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
    ] {
        assert!(plain.endpoint(url).is_ok(), "{url}");
    }
    for (url, rule) in [
        ("", "expected an absolute URL"),
        ("api.mackerelio.com", "expected an absolute URL"),
        ("/api", "expected an absolute URL"),
        ("http://api.mackerelio.com/", "expected https, found"),
        ("file:///etc/passwd", "expected https, found"),
        ("gopher://api.mackerelio.com/", "expected https, found"),
        ("https://user@api.mackerelio.com/", "no user name or password"),
        ("https://api.mackerelio.com:x@evil.example/", "no user name or password"),
        ("https://:p@evil.example/", "no user name or password"),
        ("https://api.mackerelio.com/?apikey=x", "without `?` and `#`"),
        ("https://api.mackerelio.com/#x", "without `?` and `#`"),
        ("https://127.0.0.1/", "(loopback)"),
        ("https://127.1/", "(loopback)"),
        ("https://2130706433/", "(loopback)"),
        ("https://0x7f000001/", "(loopback)"),
        ("https://0177.0.0.1/", "(loopback)"),
        ("https://127。0。0。1/", "(loopback)"),
        ("https://[::1]/", "(loopback)"),
        ("https://[::ffff:127.0.0.1]/", "(loopback)"),
        ("https://[::ffff:7f00:1]/", "(loopback)"),
        ("https://0/", "(unspecified)"),
        ("https://[::]/", "(unspecified)"),
        ("https://169.254.169.254/latest/meta-data/", "(cloud metadata)"),
        ("https://[fd00:ec2::254]/", "(cloud metadata)"),
        ("https://10.0.0.1/", "(private)"),
        ("https://192.168.0.1/", "(private)"),
    ] {
        let error = plain.endpoint(url).unwrap_err().to_string();
        assert!(error.contains(rule), "{url}: {error}");
    }
    let long = format!("https://a.example/{}", "x".repeat(2_048));
    assert!(matches!(plain.endpoint(&long), Err(EndpointError::TooLong(_))));
}

#[test]
fn a_refused_url_is_not_repeated() {
    for url in [
        "https://user:hunter2@a.example/",
        "https://a.example/?key=hunter2",
        "http://a.example/hunter2",
        "hunter2",
    ] {
        assert!(!policy(false, &[]).endpoint(url).unwrap_err().to_string().contains("hunter2"), "{url}");
    }
}

#[test]
fn the_administrator_opens_ranges_and_metadata_only_by_name() {
    let office = policy(true, &["10.1.0.0/16", "fd12::/16"]);
    assert!(office.endpoint("http://10.1.2.3/").is_ok());
    assert!(office.endpoint("https://[::ffff:10.1.2.3]/").is_ok());
    assert!(office.endpoint("https://[fd12::1]/").is_ok());
    assert!(office.endpoint("https://10.2.0.1/").is_err());
    let everything = policy(true, &["0.0.0.0/0", "::/0"]);
    assert!(everything.endpoint("http://127.0.0.1/").is_ok());
    for metadata in ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/"]
    {
        assert!(everything.endpoint(metadata).is_err(), "{metadata}");
    }
    assert!(policy(true, &["169.254.169.254/32"]).endpoint("http://169.254.169.254/").is_ok());
}

#[test]
fn what_is_called_lies_below_the_base_whatever_the_ids_are() {
    let endpoint = policy(false, &[]).endpoint("https://a.example/mackerel").unwrap();
    for id in ["abc", "a/b", "../../x", "..", "?x=y", "#x", "%2e%2e", "a b\u{0}", "//evil.example/"] {
        let url = endpoint.at(&["api", "v0", "hosts", id]);
        assert!(url.as_str().starts_with("https://a.example/mackerel/api/v0/hosts"), "{url}");
        assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
    }
}

proptest! {
    /// An IPv4 address is the same address however it is wrapped into IPv6.
    #[test]
    fn wrapping_changes_nothing(bits: u32) {
        let four = Ipv4Addr::from(bits);
        let [a, b, c, d] = four.octets().map(u16::from);
        let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, a << 8 | b, c << 8 | d);
        prop_assert_eq!(special(four.into()), special(four.to_ipv6_mapped().into()));
        prop_assert_eq!(special(four.into()), special(nat64.into()));
    }

    /// What the standard library calls special is never public.
    #[test]
    fn never_kinder_than_the_standard_library(bits: u32, six: u128) {
        let four = Ipv4Addr::from(bits);
        if four.is_loopback() || four.is_private() || four.is_link_local() || four.is_multicast() || four.is_broadcast() || four.is_documentation() || four.is_unspecified() {
            prop_assert!(special(four.into()).is_some());
        }
        let six = Ipv6Addr::from(six);
        if six.is_loopback() || six.is_multicast() || six.is_unique_local() || six.is_unicast_link_local() || six.is_unspecified() {
            prop_assert!(special(six.into()).is_some());
        }
    }

    /// Allowing a range only ever opens what lies in it.
    #[test]
    fn a_range_opens_itself_and_nothing_else(bits: u32, range: u32, prefix in 0_u8..=32) {
        let address = IpAddr::V4(Ipv4Addr::from(bits));
        let net = ipnet::Ipv4Net::new(Ipv4Addr::from(range), prefix).unwrap();
        let (closed, open) = (policy(false, &[]), policy(false, &[&net.to_string()]));
        if closed.refuses(address).is_none() {
            prop_assert_eq!(open.refuses(address), None);
        } else if open.refuses(address).is_none() {
            prop_assert!(ipnet::IpNet::V4(net).contains(&address));
        }
    }
}

/// Answers look-ups from a script; the last answer is repeated.
struct Script {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Script {
    fn of(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|a| a.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Lookup for Script {
    async fn addresses(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        Ok(if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() })
    }
}

/// A server that closes after each answer and counts its connections.
async fn counting(address: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let at = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                .await;
        }
    });
    (at, count)
}

fn hasty() -> Patience {
    let ms = Duration::from_millis;
    Patience { attempts: 2, first_pause: ms(1), total: ms(3_000), attempt: ms(2_000), connect: ms(1_000) }
}

async fn call(
    policy: &EndpointPolicy,
    lookup: Arc<dyn Lookup>,
    port: u16,
    times: usize,
) -> Vec<Result<(), CallError>> {
    let http = Http::new(policy, lookup, &Tls::system().unwrap(), Pace::default(), hasty()).unwrap();
    let endpoint = policy.endpoint(&format!("http://mackerel.example:{port}/")).unwrap();
    let secret = (HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
    let get = Get { url: endpoint.at(&["x"]), secret, limit: 100, time: Duration::from_secs(2) };
    let mut results = vec![];
    for _ in 0..times {
        results.push(http.get(&get).await.map(drop));
    }
    results
}

#[tokio::test]
async fn a_name_that_leads_inside_is_never_connected_to() {
    let (at, connections) = counting(([127, 0, 0, 1], 0).into()).await;
    let lookup = Script::of(&[&["127.0.0.1"]]);
    let results = call(&policy(true, &[]), lookup.clone(), at.port(), 1).await;
    let Err(CallError::Refused(why)) = &results[0] else { panic!("{results:?}") };
    assert!(why.contains("mackerel.example leads to loopback addresses only"), "{why}");
    assert!(!why.contains("127.0.0.1"), "what names mean inside the cluster is not told: {why}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 1, "a refusal is final, not tried again");
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_are_used() {
    let (at, connections) = counting(([127, 0, 0, 1], 0).into()).await;
    let (_, others) = counting((Ipv4Addr::new(127, 0, 0, 2), at.port()).into()).await;
    let lookup = Script::of(&[&["127.0.0.2", "10.0.0.1", "127.0.0.1"]]);
    let results = call(&policy(true, &["127.0.0.1/32"]), lookup, at.port(), 1).await;
    assert_eq!(results, [Ok(())]);
    assert_eq!((connections.load(Ordering::SeqCst), others.load(Ordering::SeqCst)), (1, 0));
}

/// DNS rebinding: the name is honest when it is judged and leads inside a moment later.
#[tokio::test]
async fn the_address_that_was_judged_is_the_address_that_is_called() {
    let (at, allowed) = counting(([127, 0, 0, 1], 0).into()).await;
    let (_, inside) = counting((Ipv4Addr::new(127, 0, 0, 2), at.port()).into()).await;
    let lookup = Script::of(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]]);
    let results = call(&policy(true, &["127.0.0.1/32"]), lookup.clone(), at.port(), 3).await;
    assert!(matches!(results.as_slice(), [Ok(()), Err(CallError::Refused(_)), Ok(())]), "{results:?}");
    assert_eq!((allowed.load(Ordering::SeqCst), inside.load(Ordering::SeqCst)), (2, 0));
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 3, "one look-up per connection, none beside it");
}

#[tokio::test]
async fn the_systems_own_names_are_judged_too() {
    let (at, connections) = counting(([127, 0, 0, 1], 0).into()).await;
    let plain = policy(true, &[]);
    let http = Http::new(
        &plain,
        Arc::new(rollcall_monitoring::endpoint::SystemLookup),
        &Tls::system().unwrap(),
        Pace::default(),
        hasty(),
    )
    .unwrap();
    let url = plain.endpoint(&format!("http://localhost:{}/", at.port())).unwrap().at(&[]);
    let secret = (HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
    let result = http.get(&Get { url, secret, limit: 100, time: Duration::from_secs(2) }).await;
    assert!(matches!(result, Err(CallError::Refused(_))), "{result:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

/// A URL that another policy approved, or none: the client that makes the call has the last word.
#[tokio::test]
async fn an_address_in_a_url_is_judged_by_the_client_too() {
    let (at, connections) = counting(([127, 0, 0, 1], 0).into()).await;
    let http =
        Http::new(&policy(true, &[]), Script::of(&[&[]]), &Tls::system().unwrap(), Pace::default(), hasty())
            .unwrap();
    let url = policy(true, &["127.0.0.0/8"]).endpoint(&format!("http://{at}/")).unwrap().at(&[]);
    let secret = (HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
    let result = http.get(&Get { url, secret, limit: 100, time: Duration::from_secs(2) }).await;
    assert!(matches!(result, Err(CallError::Refused(_))), "{result:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}
