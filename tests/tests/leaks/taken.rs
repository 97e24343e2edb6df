//! What a value that only one row may have tells of the row that has it: that it is taken, and no
//! more, be that row in sight or not.

use serde_json::{Value, json};

use crate::routes::Route;
use crate::{Findings, Stage, compare};

impl Stage {
    /// Writes what is taken by rows in sight and out of sight.
    pub(crate) async fn taken(&mut self, findings: &mut Findings) {
        for (role, client) in &mut self.clients {
            if *role == 0 {
                // Whoever may not write hears the same whether the value is taken or not.
                for key in [51, 52, 53] {
                    let create = "mutation { it: createDiary(input: {text: \"new\", author_id: 11, \
                                  code: \"secret code KEY\"}) { obj_id } }";
                    compare(client, *role, (Route::Taken, create), key, findings).await;
                }
                continue;
            }
            let own = match role {
                11 => 51,
                _ => 53,
            };
            let create = |what: String| {
                format!(
                    "mutation {{ it: createDiary(input: {{text: \"new\", author_id: {role}, \
                     {what}}}) {{ obj_id }} }}"
                )
            };
            let mut refused = Vec::new();
            for code in ["secret code 51", "secret code 52b", "secret code 53"] {
                refused.push(("code", create(format!("code: \"{code}\""))));
            }
            for id in [51, 52, 53] {
                let key = create(format!("code: \"free {id}\", id: {id}"));
                refused.push(("id", key));
            }
            let update = format!(
                "mutation {{ it: updateDiary(identifier: {{obj_id: {own}}}, \
                 input: {{code: \"secret code 52b\"}}) {{ obj_id row {{ text }} }} }}"
            );
            refused.push(("code", update));
            for (column, document) in refused {
                let (_, answer) = client.ask(&document, json!({})).await;
                let told = error(&answer);
                let expected = json!({
                    "message": format!("`{column}` is taken by another row"),
                    "path": ["it"],
                    "extensions": {"code": "BLZ5012", "input": ["input", column]},
                });
                if told != expected || answer["data"] != json!({"it": null}) {
                    findings.add(Route::Taken, *role, format_args!("{answer} by {document}"));
                }
            }
            client.frames_so_far().await;
        }
    }
}

/// The only error of an answer, without the place in the document.
fn error(answer: &Value) -> Value {
    let Some([error]) = answer["errors"].as_array().map(Vec::as_slice) else {
        return Value::Null;
    };
    let mut error = error.clone();
    if let Some(error) = error.as_object_mut() {
        error.remove("locations");
    }
    error
}
