//! Keys: which organisation they open, what they may do, and how refusals are worded.

use reqwest::Method;
use rollcall_fakes::{
    calls::Which,
    mackerel::{ErrorShape, HostParam, Rights, SERVICE},
};
use serde_json::{Value, json};

use super::world::World;

async fn status(world: &World, key: &str, method: Method, path: &str) -> (u16, Value) {
    let body = json!({"roleFullnames": [], "status": "working", "name": "x", "region": "eu-west-1"});
    let response = world.ask(method, path, key).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_key_opens_what_its_rights_allow() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    world.fake.add_key("acme", "reads", Rights::Read);
    world.fake.add_key("acme", "writes", Rights::Write);
    let (status_of, roles) = (format!("/hosts/{id}/status"), format!("/hosts/{id}/role-fullnames"));
    for (key, method, path, expected) in [
        ("", Method::GET, "/org", 401),
        ("stolen", Method::GET, "/hosts", 401),
        ("reads", Method::GET, "/hosts", 200),
        ("reads", Method::POST, &status_of, 403),
        ("reads", Method::PUT, &roles, 403),
        ("reads", Method::GET, "/aws-integrations", 200),
        ("reads", Method::POST, "/aws-integrations", 401),
        ("writes", Method::GET, "/hosts", 403),
        ("writes", Method::POST, &status_of, 403),
        ("writes", Method::PUT, &roles, 200),
    ] {
        let (seen, answer) = status(&world, key, method.clone(), path).await;
        assert_eq!(seen, expected, "{key:?} {method} {path}: {answer}");
    }
    world.fake.revoke_key("reads");
    assert_eq!(status(&world, "reads", Method::GET, "/hosts").await.0, 401);
}

#[tokio::test]
async fn organisations_do_not_see_each_other() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    world.fake.org("other").edit(|t| t.display_name = Some("The other one".into()));
    world.fake.add_key("other", "theirs", Rights::ReadWrite);
    assert_eq!(status(&world, "theirs", Method::GET, &format!("/hosts/{id}")).await.0, 404);
    let (_, theirs) = status(&world, "theirs", Method::GET, "/org").await;
    assert_eq!(theirs, json!({"name": "other", "displayName": "The other one"}));
    assert_eq!(world.get("/org").await, json!({"name": "acme", "displayName": null}));
    let mine = |org: &str| Which { account: Some(org.to_owned()), ..Which::default() };
    let calls = &world.fake.stage.calls;
    assert_eq!(
        (calls.matching(&mine("acme")), calls.matching(&mine("other"))),
        (1, 2),
        "the log knows who asked"
    );
    assert_eq!(calls.of(SERVICE, "GET /api/v0/hosts/{id}"), 1, "and what, by its route");
}

#[tokio::test]
async fn a_refusal_is_an_object_or_a_text_and_a_path_that_is_none_is_404() {
    let world = World::new().await;
    let (_, modern) = status(&world, super::world::KEY, Method::GET, "/hosts/2nowhere000").await;
    assert_eq!(modern, json!({"error": {"message": "Host Not Found."}}));
    world.org.edit(|t| t.policy.error_shape = ErrorShape::Text);
    let (_, older) = status(&world, super::world::KEY, Method::GET, "/hosts/2nowhere000").await;
    assert_eq!(older, json!({"error": "Host Not Found."}));
    let (code, none) = status(&world, "", Method::GET, "/foobar").await;
    assert_eq!(
        (code, none),
        (404, json!({"error": {"message": "Not found."}})),
        "before the key is looked at"
    );
    assert_eq!(status(&world, super::world::KEY, Method::DELETE, "/org").await.0, 404);
}
