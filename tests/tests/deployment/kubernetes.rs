//! `deploy/spinkube/rollout`, with a stand-in for a cluster.

use crate::programs::Programs;

/// The output of kustomize is a short one; the Job has the state of a file, the Deployment the image of the `SpinApp`
/// once that is applied.
const KUBECTL: &str = r#"
case "$*" in
  "kustomize overlay") printf 'kind: SpinApp\nmetadata:\n  namespace: shop\nspec:\n  image: registry.example.com/taskie:2\n---\nkind: Job\n' ;;
  *"get job"*) cat "$here/state" ;;
  *"get deployment"*) echo registry.example.com/taskie:2 ;;
  *logs*) echo 'error: the log of the migration' ;;
esac"#;

#[tokio::test]
async fn the_migration_comes_first_and_the_rollout_is_waited_for() {
    let programs = Programs::new(&[("kubectl", KUBECTL)]);
    std::fs::write(programs.path("state"), "SuccessCriteriaMet Complete").expect("write a file");
    programs.run("deploy/spinkube/rollout", &["overlay"], &[]).await.exits(0);
    let calls = programs.calls();
    let place = |text: &str| {
        calls
            .iter()
            .position(|call| call.contains(text))
            .unwrap_or_else(|| panic!("no {text} in {calls:#?}"))
    };
    let order = [
        "delete job --selector app.kubernetes.io/component=migrate",
        "--selector app.kubernetes.io/component=migrate",
        "get job",
        "get deployment taskie",
        "rollout status deployment/taskie",
    ]
    .map(place);
    assert!(order.is_sorted(), "{calls:#?}");
    let applied = calls.iter().filter(|call| call.contains(" apply ")).collect::<Vec<_>>();
    assert_eq!(applied.len(), 2, "{calls:#?}");
    assert!(calls[1..].iter().all(|call| call.starts_with("kubectl --namespace shop ")));
}

#[tokio::test]
async fn a_migration_that_fails_or_does_not_end_stops_the_rollout() {
    for (state, timeout) in [("FailureTarget Failed", "100"), ("", "0")] {
        let programs = Programs::new(&[("kubectl", KUBECTL)]);
        std::fs::write(programs.path("state"), state).expect("write a file");
        programs
            .run("deploy/spinkube/rollout", &["overlay"], &[("MIGRATE_TIMEOUT", timeout)])
            .await
            .exits(1)
            .says("the log of the migration")
            .says("nothing is rolled out");
        let applied = programs.calls().iter().filter(|call| call.contains(" apply ")).count();
        assert_eq!(applied, 1);
    }
}
