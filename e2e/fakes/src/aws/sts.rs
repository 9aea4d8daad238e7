//! STS: who am I, and may I be that role.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{error::AwsError, front::Asked, identity::Wish, xml::Xml};

const VERSION: &str = "2011-06-15";

/// Answers one STS action: the inside of its `…Result`.
///
/// # Errors
/// AWS's refusals.
pub fn answer(asked: &Asked<'_>) -> Result<String, AwsError> {
    match asked.call.operation.as_str() {
        "GetCallerIdentity" => Ok(caller_identity(asked)),
        "AssumeRole" => assume_role(asked),
        other => Err(AwsError::action(other, VERSION)),
    }
}

/// Needs no right at all: AWS answers it even under an explicit deny.
fn caller_identity(asked: &Asked<'_>) -> String {
    let mut xml = Xml::default();
    let caller = asked.caller;
    xml.text("Arn", &caller.arn).text("UserId", &caller.user_id).text("Account", &caller.account);
    xml.finish()
}

fn assume_role(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let tag = |p: &super::request::Params| Some((p.get("Key")?.to_owned(), p.get("Value")?.to_owned()));
    let tags: BTreeMap<_, _> = params.structures("Tags.member").iter().filter_map(tag).collect();
    let wish = Wish {
        role: params.need("RoleArn")?.to_owned(),
        session_name: params.need("RoleSessionName")?.to_owned(),
        external_id: params.get("ExternalId").map(str::to_owned),
        duration: params.number("DurationSeconds")?,
        policy: params.get("Policy").map(str::to_owned),
        tags,
    };
    let ground = &mut *asked.aws.ground().write();
    let session = ground.identities.assume(&mut ground.mint, asked.caller, wish, Timestamp::now())?;
    let mut xml = Xml::default();
    xml.nest("Credentials", |xml| {
        xml.text("AccessKeyId", &session.key)
            .text("SecretAccessKey", &session.secret)
            .text("SessionToken", &session.token)
            .text("Expiration", session.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    });
    xml.nest("AssumedRoleUser", |xml| {
        xml.text("Arn", session.arn()).text("AssumedRoleId", &session.user_id);
    });
    Ok(xml.finish())
}
