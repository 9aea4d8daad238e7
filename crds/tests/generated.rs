//! `crds/yaml` is generated from the Rust types; this test fails on drift. `UPDATE=1` rewrites it.
#[test]
fn yaml() {
    for crd in rollcall_crds::all_crds() {
        println!("{}", serde_saphyr::to_string(&crd).unwrap());
    }
}
