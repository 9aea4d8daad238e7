//! Credentials never show: not in errors, not in `Debug`, not in logs at any level.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use rollcall_aws::{AccountSettings, AssumeRole, Identity, QUIET, StaticKeys};
use rollcall_engine::inventory::Asked;
use rollcall_fakes::aws::Role;
use rollcall_fakes::faults::{Fault, Rule};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::world::{ACCOUNT, KEY, SECRET, World, now, reader, region};

const TOKEN: &str = "canary-token-Zx81kP";
const EXTERNAL_ID: &str = "canary-external-id-77";

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Heard {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// As some services refuse a signature: with all that was signed.
fn quoting() -> Fault {
    let body = format!(
        "<Response><Errors><Error><Code>SignatureDoesNotMatch</Code><Message>The Canonical String should have been \
         x-amz-security-token:{TOKEN} {SECRET}</Message></Error></Errors></Response>"
    );
    Fault::Status { status: 403, body: Some(body) }
}

#[tokio::test]
async fn no_credential_is_ever_shown() {
    let heard = Heard::default();
    let filter = QUIET.iter().fold(EnvFilter::new("trace"), |f, d| f.add_directive(d.parse().unwrap()));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(heard.clone()).finish();
    let _listening = tracing::subscriber::set_default(subscriber);

    let world = World::new().await;
    world.fleet(3);
    let trusted = Role {
        name: "observe".to_owned(),
        trusts: vec![ACCOUNT.to_owned()],
        external_id: Some(EXTERNAL_ID.to_owned()),
        denies: vec![],
    };
    let role_arn = world.aws.account(ACCOUNT).set_role(trusted);
    let keys = StaticKeys::new(KEY, SECRET, Some(TOKEN.to_owned()));
    let plain = AccountSettings { identity: Identity::Static(keys), ..world.settings() };
    let assume = Some(AssumeRole { role_arn, external_id: Some(EXTERNAL_ID.to_owned()) });
    let assuming = AccountSettings { assume, ..plain.clone() };

    let mut shown = format!("{plain:?} {assuming:?}");
    let half = |text: &str| Fault::Garbage { body: Some(format!("<html>{SECRET} {TOKEN} {text}")) };
    for settings in [plain, assuming] {
        let account = reader(settings).await;
        for fault in [
            None,
            Some(quoting()),
            Some(half("")),
            Some(Fault::Denied),
            Some(Fault::CutConnection { after_bytes: 9 }),
        ] {
            world.aws.stage().faults.clear();
            if let Some(fault) = fault {
                world.strike(Rule::new("*", "*", fault));
            }
            let inventory = account.read_place(&region(), None, &Asked::default(), now()).await;
            shown.extend([format!(
                "{inventory:?} {account:?} {:?} {:?}",
                account.calls(),
                account.allowances()
            )]);
        }
    }
    let sessions = world.aws.account(ACCOUNT).sessions();
    let canaries = sessions.iter().flat_map(|s| [s.secret.as_str(), s.token.as_str()]);
    let logged = String::from_utf8_lossy(&heard.0.lock()).into_owned();
    assert!(logged.len() > 100, "something was logged at all");
    for canary in canaries.chain([SECRET, TOKEN, EXTERNAL_ID]) {
        assert!(!shown.contains(canary), "{canary} is shown");
        assert!(!logged.contains(canary), "{canary} is logged");
    }
}
