//! What leaves neither to clients nor to the log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, tells_of};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Begins to collect what the whole process logs, at every level.
    fn collect() -> Log {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("it is the only one");
        log
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().expect("no writer has panicked");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = self.0.lock().expect("no writer has panicked");
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_columns_that_are_not_exposed_never_leave() {
    let app = TestApp::fixture().await;
    let sql = app.sql().await;
    let mut client = Client::connect(app.address()).await;
    for entity in ["secrets", "Secrets", "other.user", "compkey"] {
        let document = format!(
            "{{ queryable(identifier: {{entity: \"Queryable\", \
             dependencies: [{{entity: \"{entity}\"}}]}}) {{ get_struct {{ c }} }} }}"
        );
        let (_, answer) = client.ask(&document, json!({})).await;
        assert!(answer["data"]["queryable"].is_null(), "{entity}: {answer}");
    }
    let (status, _) = client
        .ask(
            "{ user(identifier: {obj_id: 1}) { secret_note } }",
            json!({}),
        )
        .await;
    assert_eq!(status, 400);
    client
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    let changes = "INSERT INTO secrets VALUES (1, 'root', 'hunter2'); \
         UPDATE secrets SET token = 'hunter3'; DELETE FROM secrets; \
         UPDATE \"user\" SET secret_note = 'hunter4' WHERE id = 1; \
         DELETE FROM \"user\" WHERE id = 2";
    sql.batch_execute(changes)
        .await
        .expect("the rows are there");
    app.catch_up().await;
    let frames = client.frames_so_far().await;
    assert!(
        frames.iter().all(|frame| tells_of(frame, "User", 1)),
        "{frames:?}"
    );
    let text = Value::from(frames).to_string();
    assert!(text.contains("ann"), "the row itself is told: {text}");
    assert!(
        !text.contains("hunter") && !text.contains("secret"),
        "{text}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_row_values_nor_session_ids_are_logged_at_any_level() {
    let log = Log::collect();
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    // The statement does not hold the value: what is logged of the test's own tells nothing.
    let sql = app.sql().await;
    let rename = "UPDATE \"user\" SET name = reverse('eulav-neddih'), \
         secret_note = reverse('eulav-neddih') WHERE id = 1";
    sql.batch_execute(rename).await.expect("the row is there");
    let frame = client.frame().await;
    assert_eq!(frame["data"]["changes"]["name"], "hidden-value");
    client.confirm(&frame).await;
    let data = client
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    assert_eq!(data["user"]["name"], "hidden-value");
    // What fails is logged at length.
    let (_, answer) = client.ask("{ queryable { boom } }", json!({})).await;
    assert!(answer["errors"].is_array(), "{answer}");
    let session = client.session().to_owned();
    drop(client);
    app.stop().await;

    let text = log.text();
    assert!(
        text.contains("TRACE") && text.contains("blazelink::"),
        "nothing is collected"
    );
    for secret in ["hidden-value", session.as_str()] {
        let told: Vec<&str> = text.lines().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}
